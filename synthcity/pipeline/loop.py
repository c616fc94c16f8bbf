"""The loop: asks the state what is next, has it done, writes down what came of it, and ends where it has to.

A step is done by ``Work`` and told by one event. Whatever a kill cuts off is done again, so each step finds what an
earlier process has done of it: a search by its folder, a publication by its mark, a challenger by its hash.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from synthcity.durations import write_duration
from synthcity.errors import (
    ChainError,
    Fatal,
    LLMError,
    PublishError,
    RunError,
    SourceError,
    SynthcityError,
    TrialFailed,
    VaultError,
)
from synthcity.market.times import format_time
from synthcity.pipeline.config import PipelineConfig
from synthcity.pipeline.events import (
    Began,
    Crowned,
    Deployed,
    Ended,
    Event,
    Failed,
    Judged,
    Opened,
    Planned,
    Published,
    Renewed,
    Researched,
    Resumed,
    Searched,
    Stopped,
    Troubled,
    Waiting,
)
from synthcity.pipeline.journal import Journal
from synthcity.pipeline.state import FAILED, State, Step, end_of, next_step, stop_reason

STOP = "STOP"
"""A file of this name in the pipeline's folder ends it before the next step."""

CURABLE = (Fatal, TrialFailed, LLMError)
"""What another plan may cure."""


class CutOff(SynthcityError):
    """A search ended before its time through no fault of its plan; it goes on where it was."""


PASSING = (SourceError, PublishError, VaultError, ChainError, CutOff)
"""What is over after a while, so that the same step is tried again."""

_FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 3600.0
_LOOK_SECONDS = 60.0  # for the file STOP, while something is waited for


class Work(Protocol):
    """What the steps do; ``worlds`` holds the two that are meant for people, and tests have their own."""

    def opened(self) -> Opened:
        """Say what this pipeline is."""

    def news(self, state: State) -> list[Crowned]:
        """Return the champions that came since; told before a round begins."""

    def begin(self, state: State) -> Began | Waiting | Renewed:
        """Bring prices up to date and choose what the next round is about, or say until when there is nothing.

        A champion whose time has come is trained again before that, and offered.
        """

    def research(self, state: State) -> Researched:
        """Look for inputs that packaged features do not know, on prices before the round's test."""

    def plan(self, state: State) -> Planned | Ended:
        """Plan the next attempt, or say that there is nothing left to try."""

    def search(self, state: State) -> Searched | Failed:
        """Search as the last plan says."""

    def check(self, state: State) -> Judged:
        """Let the gate and the level of the look decide."""

    def publish(self, state: State) -> Published:
        """Publish what passed."""

    def deploy(self, state: State) -> Deployed:
        """Offer what passed to the miner as challenger."""

    def wait(self, until: float) -> None:
        """Return at ``until`` (unix s); where time is a stand-in's, it has come already."""

    def now(self, state: State) -> float:
        """Unix seconds."""


def run_loop(
    folder: Path,
    config: PipelineConfig,
    work: Work,
    *,
    resume: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> State:
    """Do rounds until there is a reason to stop, and return what they came to.

    Args:
        folder: of the pipeline.
        config: bounds and wishes.
        work: does the steps.
        resume: go on with what is in the folder.
        tell: takes a line for each event.

    Raises:
        RunError: the folder is in use or holds a pipeline that is not to be resumed, or the disk refuses.
        Fatal: too many rounds failed in a row.
        SynthcityError: what no other plan and no waiting cures; ``resume`` tries that step again.
        KeyboardInterrupt: Ctrl-C or SIGTERM; ``resume`` continues.
    """
    with Journal(folder, lambda: work.now(journal.state)) as journal:
        _open(journal, work, resume=resume)

        def told(event: Event) -> None:
            journal.tell(event)
            if line := describe(event):
                tell(line)

        try:
            while (reason := _stop(folder, journal.state, config)) is None:
                for event in _done(journal.state, config, work):
                    told(event)
                    if isinstance(event, Troubled) and len(journal.state.troubles) > config.retries:
                        raise _given_up(event, config.retries)
                    if isinstance(event, Waiting | Troubled):
                        _wait(folder, journal.state, work, event.until)
        except KeyboardInterrupt:
            told(Stopped(reason="stopped by Ctrl-C or SIGTERM"))
            raise
        except SynthcityError as error:
            with contextlib.suppress(RunError):  # the disk may be what failed; the first error is the one to tell
                told(Stopped(reason=str(error)))
            raise
        told(Stopped(reason=reason))
        if "failed in a row" in reason:
            raise Fatal(f"the pipeline stops: {reason}")
        return journal.state


def _open(journal: Journal, work: Work, *, resume: bool) -> None:
    own = work.opened()
    if journal.state.opened is None:
        journal.tell(own)
        return
    if not resume:
        raise RunError(f"{journal.path.parent} holds a pipeline; add --resume to go on, or name another folder")
    if (journal.state.opened.competitions, journal.state.opened.world) != (own.competitions, own.world):
        was, is_ = _of(journal.state.opened), _of(own)
        raise RunError(f"the pipeline in {journal.path.parent} is of {was}, and this one of {is_}; name another folder")
    journal.tell(Resumed())


def _of(opened: Opened) -> str:
    return ", ".join(opened.competitions) + (f" ({opened.world})" if opened.world else "")


def _stop(folder: Path, state: State, config: PipelineConfig) -> str | None:
    if (folder / STOP).exists():
        return f"there is a file {folder / STOP}; remove it and resume"
    return stop_reason(state, config)


def _wait(folder: Path, state: State, work: Work, until: float) -> None:
    """Wait, unless the clock is set back meanwhile: the step says anew until when."""
    last = work.now(state)
    while last < until and not (folder / STOP).exists():
        work.wait(min(until, last + _LOOK_SECONDS))
        if (now := work.now(state)) < last:
            return
        last = now


def _done(state: State, config: PipelineConfig, work: Work) -> list[Event]:
    """Do the next step and return what it tells; passing trouble is an event, too."""
    step = next_step(state, config)
    steps: dict[Step, Callable[[State], Event]] = {
        Step.BEGIN: work.begin,
        Step.RESEARCH: work.research,
        Step.PLAN: work.plan,
        Step.SEARCH: work.search,
        Step.CHECK: work.check,
        Step.PUBLISH: work.publish,
        Step.DEPLOY: work.deploy,
    }
    try:
        if step is Step.END:
            assert state.current is not None
            return [end_of(state.current)]
        if step is Step.BEGIN and (news := work.news(state)):
            return [*news]
        return [steps[step](state)]
    except PASSING as error:
        pause = min(_FIRST_PAUSE * 2 ** len(state.troubles), _LONGEST_PAUSE)
        return [Troubled(step=str(step), reason=str(error), until=work.now(state) + pause)]


def _given_up(event: Troubled, retries: int) -> SynthcityError:
    return Fatal(f"{event.step} met the same trouble {retries + 1} times in a row: {event.reason}")


def describe(event: Event) -> str:
    """Return the line that a person reads of an event; empty where there is nothing to say."""
    match event:
        case Began():
            against = f", to beat {Path(event.rival).name}" if event.rival else ""
            what = f"round {event.round}: {event.competition} of {', '.join(event.assets)}"
            return f"{what}, tested on {event.periods.test}; look {event.look} at level {event.level:.2g}{against}"
        case Researched():
            return f"  research: {event.sentence}"
        case Planned():
            return f"  plan {event.attempt} by {event.by}: {event.reason}"
        case Searched():
            return f"  searched in {write_duration(round(event.seconds) or 1)}: {event.sentence}"
        case Failed():
            return f"  attempt {event.attempt} failed: {event.reason}"
        case Judged():
            return f"  {'passed' if event.passed else 'not passed'}: {event.reason}"
        case Published():
            return f"  published: {event.where}, commit {event.commit}"
        case Deployed():
            return f"  offered to the miner in {event.state} as challenger: {event.folder}"
        case Renewed():
            what = f"trained again and offered as {event.folder}" if event.folder else "not trained again"
            return f"champion of {event.competition}, {what}: {event.reason}"
        case Ended():
            return f"  ended: {event.outcome}, {event.reason}" + (" (a failure)" if event.outcome == FAILED else "")
        case Crowned():
            return f"champion of {event.competition}: {event.folder} ({event.reason})"
        case Waiting():
            return f"waiting until {format_time(int(event.until))}: {event.reason}"
        case Troubled():
            return f"  {event.step}: {event.reason}; again at {format_time(int(event.until))}"
        case Stopped():
            return f"stopped: {event.reason}"
    return ""
