"""One search from a sweep file to a report, resumable at every step."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from synthcity import plugins
from synthcity.agents.client import LLMClient
from synthcity.cluster import Cluster, cluster, terminable
from synthcity.errors import Fatal, RunError
from synthcity.private import environment, private_folder
from synthcity.search.candidates.presets import hand_written
from synthcity.search.candidates.space import Space
from synthcity.search.config import SearchConfig, load_config
from synthcity.search.data import SearchData, load_data
from synthcity.search.debugger import Consultant, Debugger
from synthcity.search.finals.final import run_final, score_baselines
from synthcity.search.finals.refit import refit
from synthcity.search.finals.scoring import Scorer
from synthcity.search.gate import Gate, Limits
from synthcity.search.journal.folder import check_resumable, run_folder, write_resolved
from synthcity.search.journal.history import History
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.progress import Progress
from synthcity.search.journal.recorder import Display, Recorder
from synthcity.search.proposers import DefaultsProposer, Planner, check_arms, make_arms
from synthcity.search.proposers.budget_card import budget_card
from synthcity.search.proposers.earlier import candidates_of, describe, read_earlier
from synthcity.search.proposers.stall import standing
from synthcity.search.report.outcome import SearchResult, conclude
from synthcity.search.roles.authoring import candidates, check_author, restore, write_components
from synthcity.search.trials.queue import Feed
from synthcity.search.trials.tuning import run_trials
from synthcity.settings import Settings

_PACKAGES = ("torch", "ray", "optuna", "numpy", "pandas", "pyarrow")


def search(
    config: SearchConfig | Path | str,
    *,
    settings: Iterable[str] = (),
    resume: bool = False,
    display: Display | None = None,
    command: str | None = None,
    stem: str | None = None,
) -> SearchResult:
    """Search, prove and report.

    Args:
        config: a sweep file or what ``load_config`` made of it.
        settings: ``key=value`` over a sweep file.
        resume: continue the run of this name; without a name, the newest of this sweep file.
        display: sees every event of the run.
        command: the command line that started this, for the report; this process's own by default.
        stem: what the run folder is called where the config has no name; by default the sweep file's name.

    Raises:
        ConfigError, DataError: something is wrong with the sweep file or the prices; nothing was started.
        RunError: the run folder cannot be written, is in use, or is there already.
        Fatal: Ray was lost; ``resume`` continues.
        KeyboardInterrupt: stopped by Ctrl-C or SIGTERM; ``resume`` continues.

    Example:
        >>> import synthcity
        >>> tiny = ["search.trials=2", "search.max_steps=8", "search.workers=1", "output=/tmp/runs"]
        >>> result = synthcity.run("configs/quickstart.yaml", settings=tiny)
        >>> result.trials["id"].tolist(), list(result.curves.columns)
        (['c0000', 'c0001'], ['id', 'steps', 'score'])
        >>> synthcity.load(result.winner).name == result.report["verdict"]["winner"]
        True
    """
    stem = stem or ("search" if isinstance(config, SearchConfig) else Path(config).stem)
    if not isinstance(config, SearchConfig):
        config = load_config(config, settings)
    check_arms(config.search.arms)
    hand_written(config.search.candidates)
    check_author(config.search.author)
    if config.search.asks_model or config.search.author:
        LLMClient(Settings.load(), config.llm).close()  # address and cassette are told before anything is started
    data = load_data(config)
    earlier = [] if resume else read_earlier(config)
    folder = run_folder(config, stem, resume=resume)
    command = command or shlex.join(sys.argv)
    with _private_matplotlib(), Journal(folder) as journal:
        if resume:
            check_resumable(folder, config)
        else:
            write_resolved(folder, config)
        recorder = Recorder(journal, display)
        if resume and recorder.last("earlier") is None:  # it is the first event, and was torn
            earlier = read_earlier(config)
        if earlier:
            recorder.emit("earlier", runs=earlier)
        run = _Run(folder=folder, config=config, data=data, recorder=recorder, command=command)
        with terminable():
            try:
                return run.finish()
            except BaseException as error:
                run.note(error)
                raise


@contextlib.contextmanager
def _private_matplotlib() -> Iterator[None]:
    """Give matplotlib, which draws the report, a folder that nobody else can have planted anything in."""
    if "MPLCONFIGDIR" in os.environ:
        yield
        return
    with private_folder() as folder, environment({"MPLCONFIGDIR": str(folder)}):
        yield


class _Run:
    """The steps of one search, each skipped where the journal says it is done."""

    def __init__(
        self, *, folder: Path, config: SearchConfig, data: SearchData, recorder: Recorder, command: str
    ) -> None:
        self._folder = folder
        self._config = config
        self._budget = config.search
        self._data = data
        self._recorder = recorder
        self._command = command
        self._versions = _versions()
        self._storage = config.search.storage or str(folder / "checkpoints")

    def finish(self) -> SearchResult:
        """Do what is left to do."""
        begin = time.monotonic()
        restore(self._recorder.events, self._folder)
        used = Progress(self._recorder.events).used_seconds()
        needed = ("AWS_",) if self._storage.startswith("s3://") else ()
        with cluster(self._budget.workers, needed=needed) as found:
            self._announce(found)
            scorer = Scorer(self._data, found.workers)
            if not self._recorder.last("search_finished"):
                score_baselines(self._recorder, self._data, scorer, seed=self._budget.seed)
                self._search(found, used=lambda: used + time.monotonic() - begin)
            look = run_final(
                recorder=self._recorder,
                data=self._data,
                scorer=scorer,
                folder=self._folder,
                storage=self._storage,
                finalists=self._budget.finalists,
                num_seeds=self._budget.final_seeds,
                seed=self._budget.seed,
                refit=partial(
                    refit, recorder=self._recorder, data=self._data, folder=self._folder, budget=self._budget
                ),
            )
        result = conclude(
            folder=self._folder,
            config=self._config,
            data=self._data,
            recorder=self._recorder,
            look=look,
            versions=self._versions,
            command=self._command,
        )
        if not self._recorder.last("run_finished"):
            self._recorder.emit("run_finished", winner=result.report["verdict"]["winner"])
        return result

    def note(self, error: BaseException) -> None:
        """Journal why the run ends here, unless the journal itself is what failed."""
        if self._recorder.failure is None:
            with contextlib.suppress(RunError):  # the error that ended the run is the one to tell
                self._recorder.emit("run_interrupted", reason=f"{type(error).__name__}: {error}".strip(": "))
                self._recorder.history.write_trials(self._folder / "trials.jsonl")

    def _announce(self, found: Cluster) -> None:
        config, data = self._config, self._data
        self._recorder.emit(
            "run_resumed" if self._recorder.last("run_started") else "run_started",
            name=self._folder.name,
            competition=data.competition.name,
            rules=data.rules.date,
            assets=list(data.assets),
            trials=self._budget.trials,
            time_budget=self._budget.time_budget,
            workers=found.workers,
            gpus=found.num_gpus,
            command=self._command,
            versions=self._versions,
            config=config.to_dict(),
        )

    def _search(self, found: Cluster, *, used: Any) -> None:
        from synthcity.nets.authored import dry_run

        budget, recorder = self._budget, self._recorder
        write_components(recorder, self._folder, budget.author, open_client=self._client, task=self._task)
        recorder.emit("stage", name="search", message="proposing, training and comparing candidates")
        space = Space.from_registry(budget.max_blocks)
        gate = Gate(
            space,
            lambda config: dry_run.check(config, self._data.dataset),
            Limits(max_parameters=budget.max_parameters, max_step_seconds=budget.max_step_seconds),
        )
        earlier = (recorder.last("earlier") or {"runs": []})["runs"]
        with self._model() as client:
            feed = Feed(
                recorder=recorder,
                gate=gate,
                defaults=DefaultsProposer(
                    hand_written(budget.candidates), authored=candidates(recorder), earlier=candidates_of(earlier)
                ),
                arms=make_arms(
                    budget.arms, space, None if client is None else self._planner(client, gate, found, used)
                ),
                budget=budget,
                workers=found.workers,
                debugger=self._debugger(space, gate, client),
            )
            self._train(found, feed, used=used)

    @contextlib.contextmanager
    def _model(self) -> Iterator[LLMClient | None]:
        """Open the language model where an arm or the debugger asks one."""
        if not self._budget.asks_model:
            yield None
            return
        with self._client() as client:
            yield client

    def _planner(self, client: LLMClient, gate: Gate, found: Cluster, used: Any) -> Planner:
        def card(history: History) -> str:
            left = None if self._seconds is None else self._seconds - used()
            usd = client.ledger.run.usd
            caps, workers = self._config.llm.caps, found.workers
            return budget_card(self._budget, history, caps=caps, usd=usd, seconds=left, workers=workers)

        trials = self._budget.trials
        return Planner(
            client=client,
            gate=gate,
            recorder=self._recorder,
            task=self._task,
            budget=card,
            count=found.workers,
            stall=lambda history: standing(history, trials).level,
            earlier=describe((self._recorder.last("earlier") or {"runs": []})["runs"]),
        )

    def _debugger(self, space: Space, gate: Gate, client: LLMClient | None) -> Debugger | None:
        budget = self._budget
        if budget.debugger == "off":
            return None
        consultant = None if client is None or budget.debugger != "llm" else Consultant(client, self._task)
        return Debugger(space=space, gate=gate, trials=budget.trials, consultant=consultant)

    def _client(self) -> LLMClient:
        return LLMClient(Settings.load(), self._config.llm, folder=self._folder)

    @property
    def _seconds(self) -> float | None:
        """Seconds of the time budget that trials may take, None where there is none."""
        budget = self._budget
        return None if budget.time_budget is None else budget.time_budget * (1 - budget.finals_share)

    @property
    def _task(self) -> str:
        """What is forecast and how it is judged, for a language model."""
        data = self._data
        return f"Competition {data.competition.name}: paths of {', '.join(data.assets)}, judged by their CRPS."

    def _train(self, found: Cluster, feed: Feed, *, used: Any) -> None:
        budget, recorder = self._budget, self._recorder
        run_trials(
            recorder=recorder,
            feed=feed,
            budget=budget,
            cluster=found,
            dataset=self._data.dataset,
            storage=self._storage,
            seconds=None if self._seconds is None else max(0.0, self._seconds - used()),
            grace=(budget.time_budget or 0.0) * budget.finals_share / 4,
        )
        if not recorder.history.saved:
            causes = {str((r.failure or {}).get("message", r.reason)) for r in recorder.history.records}
            causes |= {rejection.reason for rejection in recorder.history.rejections if not causes}
            raise Fatal(f"no candidate was trained to a score: {'; '.join(sorted(causes)) or 'none was admitted'}")
        recorder.emit("search_finished", utilisation=Progress(recorder.events).utilisation())


def _versions() -> dict[str, str]:
    """Return the versions of what takes part, by name; ``git`` where this file is under version control."""
    found = {"python": platform.python_version()}
    revision = _revision()
    if revision is not None:
        found["git"] = revision
    found |= plugins.distributions()
    for name in ("synth-city", *_PACKAGES):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # run from a source tree that is not installed
            found[name] = "not installed"
    return found


def _revision() -> str | None:
    """Return the commit of the checkout that runs, None for an installed copy."""
    here = Path(__file__)
    for arguments in (["ls-files", "--error-unmatch", here.name], ["rev-parse", "HEAD"]):
        try:
            done = subprocess.run(
                ["git", "-C", str(here.parent), *arguments], capture_output=True, text=True, timeout=5
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode:
            return None
    return done.stdout.strip()
