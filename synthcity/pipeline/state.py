"""What a pipeline's events come to, and which step is next: pure functions, so that a kill changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

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
    Told,
    Troubled,
    Waiting,
)
from synthcity.pipeline.spending import level

FAILED, NOTHING, PROVEN, STALLED, TRIAL = "failed", "nothing proven", "proven", "stalled", "on trial"
FAILURES = 3
"""Rounds that may fail in a row before the loop ends."""


class Step(StrEnum):
    """What is to be done next; each step tells exactly one event, and may be done again until it has."""

    BEGIN = "begin"
    RESEARCH = "research"
    PLAN = "plan"
    SEARCH = "search"
    CHECK = "check"
    PUBLISH = "publish"
    DEPLOY = "deploy"
    END = "end"


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round so far."""

    began: Began
    time: float
    researched: Researched | None = None
    planned: tuple[Planned, ...] = ()
    failed: tuple[Failed, ...] = ()
    searched: Searched | None = None
    judged: Judged | None = None
    published: Published | None = None
    deployed: Deployed | None = None
    ended: Ended | None = None

    @property
    def looked(self) -> bool:
        """Whether its test period was looked at."""
        return self.searched is not None or any(one.looked for one in self.failed)

    @property
    def usd(self) -> float:
        """What it spent on language models."""
        once = [one.usd for one in (self.researched, self.searched) if one is not None]
        return sum(once) + sum(one.usd for one in self.planned) + sum(one.usd for one in self.failed)

    @property
    def seconds(self) -> float:
        """What its research and its searches took."""
        once = [one.seconds for one in (self.researched, self.searched) if one is not None]
        return sum(once) + sum(one.seconds for one in self.failed)


@dataclass(frozen=True, kw_only=True)
class State:
    """All that is known.

    Attributes:
        opened: how the pipeline began, None before.
        rounds: in order; the last one may be open.
        champions: by competition, where a bundle of this pipeline answers.
        waiting: what is waited for, None while something is done.
        troubles: how often in a row the step to be done has failed, and why last.
        clock: latest time (unix s) that was waited for.
        since: by competition, how many rounds there were when its champion came.
        offered: the last challenger that a miner was offered, and for which competition.
        renewals: refits of champions, in order.
        refits: by the competition that they were due for, how many champions since the last one that won were refits.
        session: how many there were when the present process began.
        stopped: why the last process ended; None while one runs, or if it was killed.
    """

    opened: Opened | None = None
    rounds: tuple[Round, ...] = ()
    champions: Mapping[str, Crowned] = field(default_factory=dict)
    waiting: Waiting | None = None
    troubles: tuple[Troubled, ...] = ()
    clock: float = 0.0
    since: Mapping[str, int] = field(default_factory=dict)
    offered: tuple[str, Deployed | Renewed] | None = None
    renewals: tuple[Told, ...] = ()
    refits: Mapping[str, int] = field(default_factory=dict)
    session: int = 0
    stopped: str | None = None

    @classmethod
    def of(cls, told: Iterable[Told]) -> State:
        """Replay events."""
        state = cls()
        for one in told:
            state = state.after(one)
        return state

    @property
    def current(self) -> Round | None:
        """The round that is not over."""
        return self.rounds[-1] if self.rounds and self.rounds[-1].ended is None else None

    @property
    def usd(self) -> float:
        """What all rounds spent."""
        return sum(one.usd for one in self.rounds)

    @property
    def seconds(self) -> float:
        """What all searches and refits took."""
        renewed = [one.event.seconds for one in self.renewals if isinstance(one.event, Renewed)]
        return sum(one.seconds for one in self.rounds) + sum(renewed)

    def looks(self, competition: str) -> int:
        """How often its unseen prices were looked at since its champion changed last."""
        own = self.rounds[self.since.get(competition, 0) :]
        return sum(one.looked for one in own if one.began.competition == competition)

    def looked_until(self, competition: str) -> int | None:
        """End (unix s) of the last test period that a search of this pipeline looked at."""
        own = [one for one in self.rounds if one.began.competition == competition and one.looked]
        return max((one.began.periods.test.end for one in own), default=None)

    def after(self, told: Told) -> State:
        """Return the state once one more event happened."""
        event = told.event
        if isinstance(event, Troubled):
            return replace(self, troubles=(*self.troubles, event), clock=max(self.clock, event.until))
        state = replace(self, troubles=(), waiting=None, stopped=None)
        match event:
            case Opened():
                return replace(state, opened=event)
            case Resumed():
                return replace(self, stopped=None, troubles=(), session=len(self.rounds))
            case Waiting():
                return replace(state, waiting=event, clock=max(self.clock, event.until))
            case Stopped():
                return replace(self, stopped=event.reason)
            case Crowned():
                state = replace(state, champions={**self.champions, event.competition: event})
                if event.is_refit:  # which proved nothing, so the looks go on to be counted
                    refits = {**self.refits, event.competition: self.refits.get(event.competition, 0) + 1}
                    return replace(state, refits=refits)
                since = {**self.since, event.competition: len(self.rounds)}
                return replace(state, since=since, refits={})
            case Renewed():
                offered = (event.competition, event) if event.folder else self.offered
                return replace(state, renewals=(*self.renewals, told), offered=offered)
            case Began():
                return replace(state, rounds=(*self.rounds, Round(began=event, time=told.time)))
        if isinstance(event, Deployed):
            state = replace(state, offered=(self.rounds[-1].began.competition, event))
        return replace(state, rounds=(*self.rounds[:-1], _further(self.rounds[-1], event)))


def _further(found: Round, event: Event) -> Round:
    match event:
        case Researched():
            return replace(found, researched=event)
        case Planned():
            return replace(found, planned=(*found.planned, event))
        case Failed():
            return replace(found, failed=(*found.failed, event))
        case Searched():
            return replace(found, searched=event)
        case Judged():
            return replace(found, judged=event)
        case Published():
            return replace(found, published=event)
        case Deployed():
            return replace(found, deployed=event)
        case Ended():
            return replace(found, ended=event)
    raise AssertionError(f"{event} is of no round")


def next_step(state: State, config: PipelineConfig) -> Step:
    """Return what is to be done next."""
    found = state.current
    if found is None:
        return Step.BEGIN
    if config.research and found.researched is None and not found.planned:
        return Step.RESEARCH
    if found.searched is None:
        if len(found.planned) > len(found.failed):
            return Step.SEARCH
        return Step.END if found.looked or len(found.failed) > config.retries else Step.PLAN
    if found.judged is None:
        return Step.CHECK
    if found.judged.passed and config.publish and found.published is None:
        return Step.PUBLISH
    goes_on = found.judged.passed or found.judged.on_trial
    if goes_on and config.deploy is not None and found.deployed is None:
        return Step.DEPLOY
    return Step.END


def end_of(found: Round) -> Ended:
    """Say how a round came out."""
    number = found.began.round
    if found.searched is None:
        return Ended(round=number, outcome=FAILED, reason=found.failed[-1].reason)
    assert found.judged is not None
    if not found.judged.passed:
        outcome = NOTHING if found.deployed is None else TRIAL
        return Ended(round=number, outcome=outcome, reason=found.judged.reason)
    how = [word for word, done in (("published", found.published), ("deployed", found.deployed)) if done]
    return Ended(round=number, outcome=PROVEN, reason=" and ".join(how) or "kept here")


def stop_reason(state: State, config: PipelineConfig) -> str | None:
    """Return why nothing more is to be done, as far as the events say; what is paid for is brought to its end."""
    if config.budget_usd is not None and state.usd >= config.budget_usd > 0 and _needs_more(state):
        return f"the budget of {config.budget_usd:g} USD is spent ({state.usd:.2f} USD)"
    if config.budget_time is not None and state.seconds >= config.budget_time and _needs_more(state):
        return f"the searches took {state.seconds:,.0f} s, and budget_time is {config.budget_time:,.0f} s"
    if state.current is not None:
        return None
    last = [one.ended.outcome for one in state.rounds[state.session :][-FAILURES:] if one.ended]
    if last == [FAILED] * FAILURES:
        return f"{FAILURES} rounds failed in a row, the last one since {state.rounds[-1].failed[-1].reason}"
    if config.rounds is not None and len(state.rounds) >= config.rounds:
        return f"{len(state.rounds)} rounds are done"
    return None


def _needs_more(state: State) -> bool:
    return state.current is None or state.current.searched is None


def level_of(state: State, competition: str) -> tuple[int, float]:
    """Return the number of the next look of a competition and its level."""
    assert state.opened is not None
    look = state.looks(competition) + 1
    return look, level(look, len(state.opened.competitions))
