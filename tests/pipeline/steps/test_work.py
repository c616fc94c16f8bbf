"""The steps of a round, where a search takes no time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.durations import DAY
from synthcity.errors import BundleError, DataError, Fatal, RunError
from synthcity.forecast.bundles.choose import identify
from synthcity.forecast.bundles.facts import SIMULATED
from synthcity.lines import append_line
from synthcity.market.periods import Period
from synthcity.pipeline.config import Opening, load_pipeline
from synthcity.pipeline.events import (
    Began,
    Ended,
    Event,
    Failed,
    Judged,
    Opened,
    Planned,
    Renewed,
    Searched,
    Told,
    Waiting,
)
from synthcity.pipeline.loop import CutOff
from synthcity.pipeline.state import State
from synthcity.pipeline.steps import work as module
from synthcity.pipeline.steps.checking import winner_of
from synthcity.pipeline.steps.rule import Plan
from synthcity.pipeline.steps.work import Rounds
from synthcity.pipeline.worlds.rehearsal import Rehearsal
from synthcity.research.library import add
from synthcity.search import run as searching
from synthcity.search.journal.folder import write_resolved
from synthcity.serve.settlement.succession import Succession
from synthcity.settings import Settings
from tests.forecast.bundles.test_facts import bundle, facts
from tests.pipeline.standin import made_bundle
from tests.research.test_library import RECIPE, evidence

FILE = Path(__file__).parents[3] / "configs" / "quickstart-pipeline.yaml"
OPENED = Opened(competitions=("crypto-24h",), world="REHEARSAL")


@pytest.fixture
def opening(tmp_path: Path) -> Opening:
    return load_pipeline(FILE, [f"folder={tmp_path}", "deploy=null", "budget_time=1h"])


@pytest.fixture
def work(opening: Opening) -> Rounds:
    return Rounds(opening, Rehearsal(opening), Settings.load({}))


def after(*events: Event, time: float = 0.0) -> State:
    return State.of(Told(event=event, time=time) for event in (OPENED, *events))


@pytest.fixture
def begun(work: Rounds) -> Began:
    found = work.begin(after())
    assert isinstance(found, Began)
    return found


@pytest.fixture
def plan(work: Rounds, begun: Began) -> Planned:
    found = work.plan(after(begun))
    assert isinstance(found, Planned)
    return found


def test_a_round_begins_on_unseen_prices_and_the_next_waits_for_more(work: Rounds, begun: Began) -> None:
    assert (begun.round, begun.look, begun.rival, begun.assets) == (1, 1, "", ("BTC", "ETH"))
    searched = Searched(round=1, attempt=1, run="r", sentence="")
    over = after(begun, searched, Judged(round=1, passed=False, reason=""), Ended(round=1, outcome="", reason=""))
    found = work.begin(over)
    assert isinstance(found, Waiting)
    assert found.until == begun.periods.test.end + 19 * DAY
    assert found.reason == "a verdict on crypto-24h needs 19 days of prices that nobody looked at"
    again = work.begin(over.after(Told(event=found, time=0.0)))
    assert isinstance(again, Began)
    assert (again.round, again.look, again.periods.test.start) == (2, 2, begun.periods.test.end)


def test_rounds_begin_no_oftener_than_asked_for(work: Rounds, begun: Began) -> None:
    now = work.now(after())
    found = work.begin(after(begun, Ended(round=1, outcome="", reason=""), time=now - 60))
    assert isinstance(found, Waiting)
    assert found.until == now - 60 + 12 * 3600
    ahead = work.begin(after(begun, Ended(round=1, outcome="", reason=""), time=now + 366 * DAY))
    assert "oftener" not in str(ahead)  # that clock was wrong, and its day may never come


def test_what_is_proven_without_a_miner_is_the_one_to_beat(work: Rounds, begun: Began, plan: Planned) -> None:
    searched = Searched(round=1, attempt=1, run="round-0001-1", sentence="Proven.")
    state = after(begun, plan, searched, Judged(round=1, passed=True, reason="", bundle="b"))
    [crown] = work.news(state)
    assert (crown.bundle, Path(crown.folder).name) == ("b", "winner")
    assert work.news(state.after(Told(event=crown, time=0.0))) == []


def test_a_plan_that_is_always_the_same_is_a_stall(opening: Opening, begun: Began) -> None:
    same = Rounds(opening, Rehearsal(opening), Settings.load({}), lambda *_: Plan(settings=(), reason="again"))
    state = after(begun)
    made: list[Planned | Ended] = []
    while not made or isinstance(made[-1], Planned):
        made.append(same.plan(state))
        for event in (made[-1], Failed(round=1, attempt=len(made), reason="no")):
            state = state.after(Told(event=event, time=0.0))
    assert len(made) > 2
    assert isinstance(made[-1], Ended)
    assert made[-1].outcome == "stalled"


def _search(monkeypatch: pytest.MonkeyPatch, does: Callable[..., Any]) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []

    def search(config: Any, **options: Any) -> Any:
        seen.append({"config": config, **options})
        return does(config)

    monkeypatch.setattr(searching, "search", search)
    return seen


def _folder(config: Any, *events: dict[str, object]) -> None:
    write_resolved(Path(config.output) / config.name, config)
    for event in events or ({"kind": "stage", "name": "x", "message": "y", "time": 0.0},):
        append_line(Path(config.output) / config.name / "journal.jsonl", event)


def test_a_search_learns_from_what_rounds_have_researched_or_from_its_own_library(
    opening: Opening, begun: Began, plan: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = after(begun, plan)
    add(opening.folder / "library", "cycle", RECIPE, evidence())

    def library(**changes: object) -> str | None:
        asks = replace(opening, config=replace(opening.config, **changes))  # type: ignore[arg-type]
        return Rounds(asks, Rehearsal(asks), Settings.load({}))._search_config(state, state.rounds[-1]).search.library

    assert library() is None
    found = library(research=2)
    assert found is not None
    assert len(list(Path(found).iterdir())) == 1
    sweep = opening.sweeps["crypto-24h"]
    own = replace(sweep, config=replace(sweep.config, search=replace(sweep.config.search, library="mine")))
    mine = replace(opening, config=replace(opening.config, research=2), sweeps={"crypto-24h": own})
    assert Rounds(mine, Rehearsal(mine), Settings.load({}))._inputs(own, begun) == []


def test_a_search_sees_the_rounds_periods_and_what_is_left(
    work: Rounds, begun: Began, plan: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def does(config: Any) -> Any:
        _folder(config)
        return SimpleNamespace(report={"verdict": {"sentence": "Proven."}, "run": {"seconds": 9.0}})

    monkeypatch.setattr("synthcity.pipeline.steps.work.row_of_run", lambda run: SimpleNamespace(usd=0.5))
    seen = _search(monkeypatch, does)
    state = after(begun, plan)
    found = work.search(state)
    assert isinstance(found, Searched)
    assert (found.run, found.seconds, found.usd) == ("round-0001-1", 9.0, 0.5)
    config = seen[0]["config"]
    assert config.data.periods == begun.periods
    assert (config.search.time_budget, config.search.seed, seen[0]["resume"]) == (3600, 1001, False)
    work.search(state)
    assert seen[1]["resume"] is True, "what was begun goes on"
    assert seen[1]["config"] == config


@pytest.mark.parametrize("looked", [False, True])
def test_a_search_that_trains_nothing_is_an_attempt_and_what_it_looked_at_is_told(
    looked: bool, work: Rounds, begun: Began, plan: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {"kind": "test_scored", "time": 0.0, "scores": "s", "diagnostics": "d", "num_prompts": 1, "num_dropped": 0}

    def does(config: Any) -> Any:
        _folder(config, *([seen] if looked else []))
        raise Fatal("no candidate was trained to a score: too slow")

    monkeypatch.setattr("synthcity.pipeline.steps.work.row_of_run", lambda run: SimpleNamespace(usd=0.5))
    _search(monkeypatch, does)
    found = work.search(after(begun, plan))
    assert isinstance(found, Failed)
    assert (found.looked, found.usd, found.reason) == (looked, 0.5, "no candidate was trained to a score: too slow")


def test_a_search_that_is_cut_off_or_stopped_is_no_attempt(
    work: Rounds, begun: Began, plan: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(config: Any) -> Any:
        raise Fatal("Ray was lost: its agent has ended; continue with --resume")

    def stopped(config: Any) -> Any:
        try:
            raise KeyboardInterrupt
        finally:
            lost(config)

    _search(monkeypatch, lost)
    with pytest.raises(CutOff, match="Ray was lost"):
        work.search(after(begun, plan))
    _search(monkeypatch, stopped)
    with pytest.raises(KeyboardInterrupt):
        work.search(after(begun, plan))


def test_a_run_of_other_prices_is_none_of_this_round(
    work: Rounds, begun: Began, plan: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(config: Any) -> Any:
        _folder(config)
        raise DataError("cut off")

    seen = _search(monkeypatch, stopped)
    with pytest.raises(DataError):
        work.search(after(begun, plan))
    later = replace(begun.periods, test=replace(begun.periods.test, end=begun.periods.test.end + DAY))
    with pytest.raises(RunError, match="round-0001-1 is of another pipeline, which looked at other prices"):
        work.search(after(replace(begun, periods=later), plan))
    assert len(seen) == 1


@pytest.mark.parametrize("step", ["publish", "deploy"])
def test_what_took_the_place_of_the_judged_bundle_goes_nowhere(
    step: str, begun: Began, opening: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left(*_: object, **options: object) -> None:
        raise AssertionError("it left")

    monkeypatch.setattr("synthcity.pipeline.steps.work.publish", left)
    monkeypatch.setattr("synthcity.pipeline.steps.work.offer_challenger", left)
    config = replace(opening.config, deploy=str(tmp_path / "miner"))
    work = Rounds(replace(opening, config=config), Rehearsal(opening), Settings.load({}))
    bundle = made_bundle(winner_of(tmp_path / "runs" / "round-0001-1"))
    searched = Searched(round=1, attempt=1, run="round-0001-1", sentence="")
    judged = Judged(round=1, passed=True, reason="", bundle=identify(str(bundle)))
    with pytest.raises(AssertionError, match="it left"):
        getattr(work, step)(after(begun, searched, judged))
    (bundle / "manifest.json").write_text("{}")
    with pytest.raises(BundleError, match="is not the bundle that was judged"):
        getattr(work, step)(after(begun, searched, judged))


def test_prices_that_are_wrong_are_no_attempt(
    work: Rounds, begun: Began, plan: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def does(config: Any) -> Any:
        raise DataError("BTC has no prices")

    _search(monkeypatch, does)
    with pytest.raises(DataError, match="BTC has no prices"):
        work.search(after(begun, plan))


def test_the_past_that_a_plan_names_lies_below_the_pipeline(
    work: Rounds, begun: Began, plan: Planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def does(config: Any) -> Any:
        raise Fatal(f"no candidate was trained to a score: {config.search.earlier}")

    _search(monkeypatch, does)
    found = work.search(after(begun, replace(plan, settings=("search.earlier=[round-0001-1]",))))
    assert isinstance(found, Failed)
    assert found.reason.endswith(f"('{tmp_path}/runs/round-0001-1',)")


def test_a_champion_whose_time_has_come_is_trained_again_before_a_round(
    opening: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = replace(opening, config=replace(opening.config, deploy=str(tmp_path / "miner")))
    world, champion = Rehearsal(opening), bundle(tmp_path / "champion", facts(SIMULATED))
    (tmp_path / "miner").mkdir()
    Succession(named=str(champion), challenger=None, champion=str(champion), reason="").write(tmp_path / "miner")
    monkeypatch.setattr(world, "store", lambda sweep, state: "prices")
    made = Renewed(competition="crypto-24h", parent=str(champion), state="s", reason="", folder="f", bundle="b")
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(module, "renewed", lambda *given: asked.append(given) or made)
    rounds = Rounds(opening, world, Settings.load({}))
    learned = facts(SIMULATED).learned
    assert learned is not None
    monkeypatch.setattr(world, "first", lambda sweep: {"BTC": learned.start - 365 * DAY})
    assert isinstance(rounds.begin(after()), Began)
    assert asked == []
    monkeypatch.setattr(world, "first", lambda sweep: {"BTC": learned.start})
    assert rounds.begin(after()) == made
    [(miner, competition, store, folder, reason)] = asked
    assert (miner, competition, store, folder) == (tmp_path / "miner", "crypto-24h", "prices", opening.folder)
    assert str(reason).startswith("REHEARSAL it learned up to 2025-03-20 00:00, and BTC had less than 180 days")


def test_no_round_is_tested_on_what_a_refit_has_learned(opening: Opening, tmp_path: Path) -> None:
    opening = replace(opening, config=replace(opening.config, deploy=str(tmp_path / "miner")))
    world = Rehearsal(opening)
    end = int(world.now(after()))
    known = replace(facts(SIMULATED), periods={"train": Period(start=end - 99 * DAY, end=end)}, refit_of="0" * 64)
    champion = bundle(tmp_path / "champion", known)
    (tmp_path / "miner").mkdir()
    Succession(named=str(champion), challenger=None, champion=str(champion), reason="").write(tmp_path / "miner")
    found = Rounds(opening, world, Settings.load({})).begin(after())
    assert isinstance(found, Waiting)
    assert found.until == end + 19 * DAY
