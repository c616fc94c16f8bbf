"""One search from a sweep file to a report, resumable at every step."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from synthcity.agents.client import LLMClient
from synthcity.cluster.job import check_gpus
from synthcity.cluster.local import Cluster, cluster, terminable
from synthcity.errors import Fatal, RunError, exit_code_of
from synthcity.files import obstacle
from synthcity.search.candidates.presets import hand_written
from synthcity.search.candidates.space import Space
from synthcity.search.config import SearchConfig, load_config
from synthcity.search.data import SearchData, load_data
from synthcity.search.debugger import Debugger
from synthcity.search.earnings import tell_earnings
from synthcity.search.finals.final import run_final, score_baselines
from synthcity.search.finals.forecasters import admit_forecasters, choose_forecasters
from synthcity.search.finals.inputs import choose_inputs, with_library
from synthcity.search.finals.refit import refit
from synthcity.search.finals.samples import keep_samples
from synthcity.search.finals.scoring import Scorer
from synthcity.search.finals.timing import TrialsClock
from synthcity.search.fingerprint import fingerprint
from synthcity.search.gate import Gate, GateLimits
from synthcity.search.journal.events import VERSION, Earlier, RunStarted, SearchFinished, SeenTest
from synthcity.search.journal.folder import (
    check_resumable,
    differences,
    resumed_config,
    run_folder,
    write_resolved,
)
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.parts import EarlierRun
from synthcity.search.journal.progress import Progress
from synthcity.search.journal.recorder import Display, Recorder
from synthcity.search.proposers import DefaultsProposer, Planner, check_arms, make_arms
from synthcity.search.proposers.budget_card import budget_card
from synthcity.search.proposers.earlier import candidates_of, describe, read_earlier
from synthcity.search.proposers.stall import standing
from synthcity.search.report.model import Report
from synthcity.search.report.outcome import SearchResult, conclude
from synthcity.search.report.seal import seal
from synthcity.search.researching.beside import PURPOSE, Beside
from synthcity.search.researching.plan import plan_research
from synthcity.search.resumption import changes, extends, finished
from synthcity.search.roles.authoring import candidates, check_author, restore, write_components
from synthcity.search.screen.display import DASHBOARD, shown
from synthcity.search.tracking.child import PATIENCE_SECONDS
from synthcity.search.tracking.study import Study
from synthcity.search.tracking.trackers import Trackers, check_trackers
from synthcity.search.trials.fleet import Fleet
from synthcity.search.trials.queue import TrialQueue
from synthcity.search.trials.scoreless import why_scoreless
from synthcity.search.trials.tuning import run_trials
from synthcity.search.vaulted import check_vault, fetch_prices, fetch_run, mirrored
from synthcity.search.versions import this_machine, versions
from synthcity.settings import Settings

NOTHING_TRAINED = "no candidate was trained to a score"
"""What a search that another plan might mend begins its last words with."""


def search(
    config: SearchConfig | Path | str,
    *,
    settings: Iterable[str] = (),
    resume: bool = False,
    display: Display | None = None,
    dashboard: bool = False,
    command: str | None = None,
    stem: str | None = None,
) -> SearchResult:
    """Search, prove and report.

    Args:
        config: a sweep file or what ``load_config`` made of it.
        settings: ``key=value`` over a sweep file.
        resume: continue the run of this name, which may be in the vault alone; without a name, the newest of this
            sweep file. It goes on under its own config: a sweep file only names it, and ``settings`` may change
            nothing but how long and on what it runs. A run that is over gets the trials or the time that they add and
            holds its finals again; without more of either, its result is returned as it stands.
        display: sees every event of the run; by default a live table, on a terminal and in a notebook.
        dashboard: have Ray's dashboard opened on this machine's loopback, and told where.
        command: the command line that started this, for the report; this process's own by default.
        stem: what the run folder is called where the config has no name; by default the sweep file's name.

    Raises:
        ConfigError, DataError: something is wrong with the sweep file or the prices; nothing was started.
        RunError: the run folder cannot be written, is in use, or is there already.
        Fatal, KeyboardInterrupt: Ray was lost; or stopped by Ctrl-C or SIGTERM. ``resume`` continues.

    Example:
        >>> import synthcity
        >>> tiny = ["search.trials=2", "search.max_steps=8", "search.workers=1", "output=/tmp/runs"]
        >>> result = synthcity.run("configs/quickstart.yaml", settings=tiny)
        >>> result.trials["id"].tolist(), list(result.curves.columns)
        (['c0000', 'c0001'], ['id', 'steps', 'score'])
        >>> result.winner.is_dir(), len(result.scores) > 0
        (True, True)
    """
    stem = stem or ("search" if isinstance(config, SearchConfig) else Path(config).stem)
    settings = list(settings)
    given = config if isinstance(config, SearchConfig) else load_config(config, settings)
    check_vault(given)
    if resume:
        fetch_run(given, stem)
    folder = run_folder(given, stem, resume=resume)
    told = ""
    if resume and not isinstance(config, SearchConfig):
        own = resumed_config(folder, settings)
        other = [key for key in differences(own, given) if key not in ("name", "output", "vault")]
        told = f"the run goes on as it began, other than the sweep file in {', '.join(other)}" if other else ""
        given = replace(own, vault=given.vault or own.vault)
    elif resume:
        check_resumable(folder, given)
    config = given
    if resume and (result := finished(folder, config)):
        return result
    _check(config, resume)
    priced = fetch_prices(config)
    data = load_data(priced)
    if config.search.research.rounds and not resume:
        plan_research(config, data, folder)  # which says here, and not after the trials, that the train period is short
    unused: list[str] = []
    earlier = [] if resume else read_earlier(config, unused.append)
    command = command or shlex.join(sys.argv)
    with Journal(folder) as journal, shown(display) as screen:
        study = Study(folder, config.search.max_blocks)
        trackers = Trackers(config.track, folder, journal.events)
        recorder = Recorder(journal, *([] if screen is None else [screen]), study, trackers)
        notes = [*data.notes, *changes(recorder.history, data)]
        write_resolved(folder, config)
        if resume and recorder.last(Earlier) is None:  # it is the first event, and was torn
            earlier = read_earlier(config, unused.append)
        if earlier:
            recorder.emit("earlier", runs=earlier)
        notes += unused
        if told:
            recorder.emit("stage", name="resume", message=told)
        if extends(config, recorder.history):
            recorder.emit("run_extended", trials=config.search.trials, looks=recorder.history.looks)

        def tell(report: Report) -> list[str]:
            return [*trackers.finish(report), *study.close(PATIENCE_SECONDS)]

        run = _Run(
            folder=folder,
            config=priced,
            data=data,
            recorder=recorder,
            command=command,
            notes=notes,
            tell=tell,
            dashboard=dashboard,
        )
        with terminable(), mirrored(config, folder, recorder) as kept:
            try:
                result = run.finish()
            except BaseException as error:
                run.note(error)
                raise
            finally:
                trackers.close()
                study.close(PATIENCE_SECONDS)
    return replace(result, vault=kept[0]) if kept else result


def _check(config: SearchConfig, resume: bool) -> None:
    """Refuse what can be known to fail before prices are loaded and anything is written."""
    if problem := obstacle(Path(config.output), is_folder=True):
        raise RunError(f"{problem}; name another folder by output (nothing was started)")
    storage = config.search.storage
    if storage and "://" not in storage and (problem := obstacle(Path(storage), is_folder=True)):
        raise RunError(f"{problem}; name another folder by search.storage (nothing was started)")
    check_gpus(config.search.gpus_per_trial)
    check_arms(config.search.arms)
    hand_written(config.search.candidates)
    check_author(config.search.author)
    if not resume:  # which goes on with those that it told
        choose_inputs(config), choose_forecasters(config)
    check_trackers(config.track)
    if config.search.asks_model or config.search.author:
        LLMClient(Settings.load(), config.llm).close()  # address and cassette are told before anything is started


class _Run:
    """The steps of one search, each skipped where the journal says it is done."""

    def __init__(
        self,
        *,
        folder: Path,
        config: SearchConfig,
        data: SearchData,
        recorder: Recorder,
        command: str,
        notes: Sequence[str],
        tell: Callable[[Report], Sequence[str]],
        dashboard: bool,
    ) -> None:
        self._folder = folder
        self._dashboard = dashboard
        self._tell = tell
        self._config = config
        self._budget = config.search
        self._data = data
        self._recorder = recorder
        self._command = command
        self._notes = notes
        self._versions = versions()
        self._is_noted = False
        self._storage = config.search.storage or str(folder / "checkpoints")

    def finish(self) -> SearchResult:
        """Do what is left to do."""
        restore(self._recorder.events, self._folder)
        needed, budget = ("AWS_",) if self._storage.startswith("s3://") else (), self._budget
        with (
            cluster(
                budget.workers, budget.gpus_per_trial, needed=needed, on_lost=self._note_end, dashboard=self._dashboard
            ) as found,
            self._announced(found) as machines,
        ):
            machines.wait()
            if not self._recorder.last(SeenTest):
                self._data = with_library(self._recorder, self._data, self._config, self._folder)
            scorer = Scorer(self._data, found.workers, self._recorder.count)
            if not self._recorder.last(SearchFinished):
                self._search(found, scorer, machines)
            look = run_final(
                recorder=self._recorder,
                data=self._data,
                scorer=scorer,
                folder=self._folder,
                storage=self._storage,
                budget=self._budget,
                refit=partial(
                    refit, recorder=self._recorder, data=self._data, folder=self._folder, budget=self._budget
                ),
            )
            keep_samples(self._folder, self._data, self._recorder, look, seed=self._budget.seed)
        tell_earnings(self._recorder, self._data, self._config, self._folder)
        result = conclude(
            folder=self._folder,
            config=self._config,
            data=self._data,
            recorder=self._recorder,
            look=look,
            versions=self._versions,
            command=self._command,
            tell=self._tell,
        )
        seal(self._recorder, self._folder)
        # also of a run that was over, whose report was made again: whoever lists runs reads the last line
        self._recorder.emit("run_finished", winner=result.report["verdict"]["winner"])
        return result

    def note(self, error: BaseException) -> None:
        """Journal why the run ends here, unless the journal itself is what failed."""
        if not self._is_noted:
            self._note_end(f"{type(error).__name__}: {error}".strip(": "), exit_code_of(error))

    def _note_end(self, reason: str, exit_code: int = Fatal.exit_code) -> None:
        if self._recorder.failure is None and not self._recorder.history.finals.finished:
            with contextlib.suppress(RunError):  # the error that ended the run is the one to tell
                self._is_noted = True
                self._recorder.emit("run_interrupted", reason=reason, exit_code=exit_code)
                self._recorder.history.write_trials(self._folder / "trials.jsonl")

    @contextlib.contextmanager
    def _announced(self, found: Cluster) -> Iterator[Fleet]:
        config, data = self._config, self._data
        self._recorder.emit(
            "run_resumed" if self._recorder.last(RunStarted) else "run_started",
            name=self._folder.name,
            competition=data.competition.name,
            rules=data.rules.date,
            assets=list(data.assets),
            trials=self._budget.trials,
            time_budget=self._budget.time_budget,
            workers=found.workers,
            gpus=found.num_gpus,
            machine=this_machine(),
            command=self._command,
            versions=self._versions,
            config=config.to_dict(),
            version=VERSION,
            fingerprint=fingerprint(data),
        )
        if found.dashboard:
            self._recorder.emit("stage", name=DASHBOARD, message=f"Ray's dashboard: {found.dashboard}")
        for note in self._notes:
            self._recorder.emit("degraded", note=note)
        machines = Fleet(self._recorder, found)
        with machines.watched():
            yield machines

    def _search(self, found: Cluster, scorer: Scorer, machines: Fleet) -> None:
        from synthcity.nets.training import Trainer

        budget, recorder = self._budget, self._recorder
        write_components(recorder, self._folder, budget.author, open_client=self._client, task=self._data.task)
        space = Space.from_registry(budget.max_blocks, budget.recipe)
        gate = Gate(
            space,
            lambda config: Trainer.check(dict(config), self._data.dataset),
            GateLimits(max_parameters=budget.max_parameters, max_step_seconds=budget.max_step_seconds),
        )
        research = Beside(recorder, self._data, self._config, self._folder)
        with self._model() as client:
            feed = TrialQueue(
                recorder=recorder,
                gate=gate,
                defaults=DefaultsProposer(
                    hand_written(budget.candidates), authored=candidates(recorder), earlier=candidates_of(self._earlier)
                ),
                arms=make_arms(budget.arms, space, None if client is None else self._planner(client, gate, found)),
                budget=budget,
                workers=found.workers,
                debugger=Debugger.of(budget, space, gate, client, self._data.task),
            )
            feed.start()  # the first candidates are named while the baselines are scored
            try:
                admit_forecasters(recorder, self._data, scorer, self._config, self._folder)
                score_baselines(recorder, self._data, scorer, seed=budget.seed)
                recorder.emit("stage", name="search", message="proposing, training and comparing candidates")
                research.start(client, self._clock)
                self._train(found, feed, machines)
                research.finish(scorer, self._clock)
            finally:
                feed.join()
                research.close()
        recorder.emit("search_finished", utilisation=Progress(recorder.history).utilisation())

    def _model(self) -> contextlib.AbstractContextManager[LLMClient | None]:
        """Open the language model where an arm, the debugger or research asks one."""
        return self._client() if self._budget.asks_model else contextlib.nullcontext()

    def _planner(self, client: LLMClient, gate: Gate, found: Cluster) -> Planner:
        def card(history: TrialHistory) -> str:
            usd = client.ledger.run.usd
            caps, workers = self._config.llm.caps, found.workers
            return budget_card(self._budget, history, caps=caps, usd=usd, seconds=self._clock.left, workers=workers)

        trials = self._budget.trials
        return Planner(
            client=client,
            gate=gate,
            recorder=self._recorder,
            task=self._data.task,
            budget=card,
            count=found.workers,
            stall=lambda history: standing(history, trials).level,
            earlier=describe(self._earlier),
        )

    def _client(self) -> LLMClient:
        return LLMClient(Settings.load(), self._config.llm, folder=self._folder, again=PURPOSE)

    @property
    def _earlier(self) -> list[EarlierRun]:
        told = self._recorder.last(Earlier)
        return told["runs"] if told else []

    @property
    def _clock(self) -> TrialsClock:
        return TrialsClock(self._recorder, self._budget, self._data)

    def _train(self, found: Cluster, feed: TrialQueue, machines: Fleet) -> None:
        budget, recorder = self._budget, self._recorder
        run_trials(
            recorder=recorder,
            feed=feed,
            budget=budget,
            cluster=found,
            dataset=self._data.dataset,
            storage=self._storage,
            machines=machines,
            seconds=self._clock.left,
            grace=self._clock.grace,
        )
        if not recorder.history.saved:
            raise Fatal(f"{NOTHING_TRAINED}: {why_scoreless(recorder.history, budget)}")
