"""The steps of a round as people run them: real searches, the publisher's gate, the Hub, the miner."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from synthcity.documents import write_setting
from synthcity.durations import DAY
from synthcity.errors import BundleError, Fatal, RunError
from synthcity.forecast.baselines import BASELINES
from synthcity.forecast.bundles.choose import identify
from synthcity.history.local import row_of_run
from synthcity.pipeline.config import Opening, Sweep, with_data
from synthcity.pipeline.events import (
    Began,
    Crowned,
    Deployed,
    Ended,
    Failed,
    Judged,
    Opened,
    Planned,
    Published,
    Renewed,
    Researched,
    Searched,
    Waiting,
)
from synthcity.pipeline.loop import CURABLE, CutOff
from synthcity.pipeline.state import STALLED, Round, State, level_of
from synthcity.pipeline.steps.checking import examine, winner_of
from synthcity.pipeline.steps.deploying import answering, crowned, is_racing, offer_challenger
from synthcity.pipeline.steps.renewing import due, learned_until, renewed
from synthcity.pipeline.steps.researching import Means, recipes_for, researched
from synthcity.pipeline.steps.rule import Plan, changed_arm, planned, rule, temperature_of
from synthcity.pipeline.steps.unseen import TooEarly, days_needed, unseen_periods
from synthcity.pipeline.worlds.world import World
from synthcity.publish.publish import publish
from synthcity.schema import plain
from synthcity.search.config import SearchConfig, parse_config
from synthcity.search.journal.folder import read_resolved
from synthcity.search.journal.journal import JOURNAL, read_events
from synthcity.search.run import NOTHING_TRAINED
from synthcity.settings import Settings
from synthcity.sn50.competitions import get_competition, get_rules

RUNS = "runs"
Planner = Callable[[Sweep, State, Round, float], Plan]


class Rounds:
    """``Work`` on this machine, in either world."""

    def __init__(self, opening: Opening, world: World, settings: Settings, planner: Planner = rule) -> None:
        self._opening, self._world, self._settings, self._planner = opening, world, settings, planner
        self._config = opening.config

    def opened(self) -> Opened:
        """Say which competitions, and in which world."""
        return Opened(competitions=tuple(sorted(self._opening.sweeps)), world=self._world.mark)

    def now(self, state: State) -> float:
        """The world's clock."""
        return self._world.now(state)

    def wait(self, until: float) -> None:
        """Wait as the world does."""
        self._world.wait(until)

    def news(self, state: State) -> list[Crowned]:
        """Whom a verdict or a hand has promoted; without a miner, whoever was proven last."""
        if self._config.deploy is not None:
            self._world.settle(state)
            return crowned(Path(self._config.deploy), state)
        if not state.rounds:
            return []
        last = state.rounds[-1]
        known = state.champions.get(last.began.competition)
        if last.judged is None or not last.judged.passed or (known and known.bundle == last.judged.bundle):
            return []
        assert last.searched is not None
        folder = str(winner_of(self._runs / last.searched.run).absolute())
        return [
            Crowned(
                competition=last.began.competition,
                folder=folder,
                bundle=last.judged.bundle,
                reason="proven, and no miner is named by deploy",
            )
        ]

    def begin(self, state: State) -> Began | Waiting | Renewed:
        """Train a champion again whose time has come, else begin a round.

        It is about the competition that pays most for the age of its champion, of those with enough unseen prices.
        """
        now = self._world.now(state)
        if self._config.deploy is not None and is_racing(Path(self._config.deploy), state):
            return Waiting(
                until=now + self._world.patience,
                reason="the last challenger is offered or judged, or has won and is not promoted yet",
            )
        if (again := self._renewed(state, now)) is not None:
            return again
        # a round of the future was told by a clock that was wrong, and is no reason to wait for that day
        if state.rounds and state.rounds[-1].time <= now < (early := state.rounds[-1].time + self._config.every):
            return Waiting(until=early, reason="rounds begin no oftener than `every` says")
        waits: list[tuple[int, str]] = []
        for competition in self._by_need(state, now):
            sweep = self._opening.sweeps[competition]
            fresh = self._world.fresh(sweep, state)
            others = self._world.looked_until(sweep)
            rival = self._rival(state, competition)
            learned = learned_until(rival, competition) if rival else None  # a refit knows newer prices than any look
            seen = (state.looked_until(competition), others, learned)
            looked = max((one for one in seen if one is not None), default=None)
            length = get_competition(competition, get_rules(sweep.config.rules)).time_length
            periods = unseen_periods(fresh.start, fresh.end, looked, length)
            if isinstance(periods, TooEarly):
                waits.append((periods.until, competition))
                continue
            look, level = level_of(state, competition)
            return Began(
                round=len(state.rounds) + 1,
                competition=competition,
                periods=periods,
                assets=fresh.assets,
                look=look,
                level=level,
                rival=rival,
            )
        until, competition = min(waits)
        length = get_competition(competition).time_length
        reason = f"a verdict on {competition} needs {days_needed(length)} days of prices that nobody looked at"
        return Waiting(until=max(until, now + 60), reason=reason)

    def research(self, state: State) -> Researched:
        """Look for inputs, within what is left of ``budget_time`` and ``budget_usd``."""
        found = state.current
        assert found is not None
        sweep = self._opening.sweeps[found.began.competition]
        self._world.fresh(sweep, state)
        store = self._world.store(sweep, state)
        means = Means(trials=self._config.research, seconds=self._time_left(state), usd=self._usd_left(state))
        return researched(self._opening.folder, store, sweep, found.began, means, self._settings)

    def plan(self, state: State) -> Planned | Ended:
        """Ask the planner; a plan that was tried becomes one with another arm in front, or the round rests."""
        found = state.current
        assert found is not None
        sweep = self._opening.sweeps[found.began.competition]
        attempt = len(found.failed) + 1
        temperature = temperature_of(self._config.temperature, attempt)
        plan = self._planner(sweep, state, found, temperature)
        made = planned(sweep, state, found, plan, temperature)
        if made is None:
            made = planned(sweep, state, found, changed_arm(sweep, plan, attempt), temperature)
        if made is None:
            return Ended(round=found.began.round, outcome=STALLED, reason="every plan that is left was tried already")
        return made

    def search(self, state: State) -> Searched | Failed:
        """Search as planned, or go on where a killed process was."""
        from synthcity.search.run import search

        found = state.current
        assert found is not None
        plan, config = found.planned[-1], self._search_config(state, found)
        run, began = self._runs / str(config.name), time.monotonic()
        has_begun = _has_begun(run)
        if has_begun:
            config = read_resolved(run)  # as it was begun: more of a budget must not have it look again
            if config.data.periods != found.began.periods:
                raise RunError(f"{run} is of another pipeline, which looked at other prices; set folder to another one")
        try:
            result = search(config, resume=has_begun, command=f"synthcity pipeline, round {found.began.round}")
        except CURABLE as error:
            if isinstance(error.__context__, KeyboardInterrupt):  # what was stopped with us is no failure
                raise KeyboardInterrupt from error
            if isinstance(error, Fatal) and not str(error).startswith(NOTHING_TRAINED):
                raise CutOff(str(error)) from error
            spent = row_of_run(run).usd if _has_begun(run) else 0.0
            return Failed(
                round=found.began.round,
                attempt=plan.attempt,
                reason=str(error),
                looked=_has_looked(run),
                seconds=time.monotonic() - began,
                usd=spent,
            )
        return Searched(
            round=found.began.round,
            attempt=plan.attempt,
            run=run.name,
            sentence=result.report["verdict"]["sentence"],
            seconds=float(result.report["run"]["seconds"]),
            usd=row_of_run(run).usd,
        )

    def check(self, state: State) -> Judged:
        """The gate, then the level."""
        found = state.current
        assert found is not None
        assert found.searched is not None
        config = self._search_config(state, found)
        run, is_rehearsal = self._runs / found.searched.run, bool(self._world.mark)
        return examine(run, found.began, config, self._settings, is_rehearsal=is_rehearsal)

    def publish(self, state: State) -> Published:
        """Publish, where that is not done already."""
        found = state.current
        assert found is not None
        run = self._proven(found)
        done = publish(run, settings=self._settings, hub=self._world.hub())
        assert done.hub is not None
        bundle = done.publication.bundle
        return Published(round=found.began.round, where=done.hub.url, commit=done.hub.commit, bundle=bundle)

    def deploy(self, state: State) -> Deployed:
        """Offer the winner to the miner."""
        found = state.current
        assert found is not None
        assert found.judged is not None
        assert self._config.deploy is not None
        winner = winner_of(self._proven(found))
        told = offer_challenger(Path(self._config.deploy), state, winner, f"{self._mark}{found.judged.reason}")
        self._world.settle(state)
        return told

    def _renewed(self, state: State, now: float) -> Renewed | None:
        """Train a champion again, if one is due; what is left of ``budget_time`` is for searching."""
        if self._config.deploy is None:
            return None
        miner = Path(self._config.deploy)
        for competition, sweep in self._opening.sweeps.items():
            if reason := due(state, miner, competition, partial(self._world.first, sweep), now):
                self._world.fresh(sweep, state)
                store = self._world.store(sweep, state)
                return renewed(miner, competition, store, self._opening.folder, f"{self._mark}{reason}")
        return None

    def _proven(self, found: Round) -> Path:
        """Return the run that was judged; what took the place of its bundle since is not proven."""
        assert found.searched is not None
        assert found.judged is not None
        run = self._runs / found.searched.run
        if identify(str(winner_of(run))) != found.judged.bundle:
            raise BundleError(f"{winner_of(run)} is not the bundle that was judged; put that one back")
        return run

    @property
    def _runs(self) -> Path:
        return self._opening.folder / RUNS

    @property
    def _mark(self) -> str:
        return f"{self._world.mark} " if self._world.mark else ""

    def _by_need(self, state: State, now: float) -> list[str]:
        """Competitions, by what they pay times the days since a round was last about them."""

        def need(name: str) -> float:
            last = max((one.time for one in state.rounds if one.began.competition == name), default=0.0)
            return get_competition(name).weight * max(1.0, (now - last) / DAY)

        return sorted(self._opening.sweeps, key=need, reverse=True)

    def _rival(self, state: State, competition: str) -> str:
        """Return the bundle that answers now; empty for a baseline, which the gate compares with anyway."""
        if self._config.deploy is not None:
            name = answering(Path(self._config.deploy))
            return "" if name is None or name in BASELINES else name
        known = state.champions.get(competition)
        return "" if known is None else known.folder

    def _search_config(self, state: State, found: Round) -> SearchConfig:
        """Return the config of a round's search: its sweep file, the round's periods, the plan, and what is left."""
        began, plan = found.began, found.planned[-1]
        sweep = self._opening.sweeps[began.competition]
        fresh = self._world.fresh(sweep, state)
        data = with_data(sweep.data, **{**fresh.changes, "periods": plain(began.periods), "assets": list(began.assets)})
        runs = self._runs.absolute()
        own = [f"name=round-{began.round:04}-{plan.attempt}", write_setting("output", str(runs))]
        own += self._inputs(sweep, began)
        settings = [*(_located(one, runs) for one in plan.settings), *own, *self._left(state, sweep)]
        return parse_config(data, settings)

    def _inputs(self, sweep: Sweep, began: Began) -> list[str]:
        """Let a search use what rounds have researched, unless its file names a library of its own."""
        if not self._config.research or sweep.config.search.library is not None:
            return []
        found = recipes_for(self._opening.folder.absolute(), began)
        return [] if found is None else [write_setting("search.library", str(found))]

    def _time_left(self, state: State) -> float | None:
        """Seconds of ``budget_time`` that no search has used; None where there is no bound."""
        bound = self._config.budget_time
        return None if bound is None else max(1.0, bound - state.seconds)

    def _usd_left(self, state: State) -> float | None:
        """What is left of ``budget_usd``; None where there is no bound."""
        bound = self._config.budget_usd
        return None if bound is None else max(0.0, bound - state.usd)

    def _left(self, state: State, sweep: Sweep) -> list[str]:
        """Hold a search to what is left of the budgets."""
        found, search = [], sweep.config.search
        if (left := self._time_left(state)) is not None:
            found.append(f"search.time_budget={int(min(left, search.time_budget or left)) or 1}s")
        if (left := self._usd_left(state)) is not None:
            caps = sweep.config.llm.caps.usd_per_run
            found.append(f"llm.caps.usd_per_run={left if caps is None else min(left, caps):.6f}")
        return found


def _located(setting: str, runs: Path) -> str:
    """Write earlier runs, which a plan names, as folders."""
    name, _, value = setting.partition("=")
    if name != "search.earlier":
        return setting
    return write_setting(name, [str(runs / one.strip()) for one in value.strip("[]").split(",") if one.strip()])


def _has_begun(run: Path) -> bool:
    journal = run / JOURNAL
    return journal.is_file() and journal.stat().st_size > 0


def _has_looked(run: Path) -> bool:
    """Whether a search got as far as its test period."""
    return _has_begun(run) and any(event["kind"] == "test_scored" for event in read_events(run / JOURNAL))
