"""Research at the beginning of a round: on which prices, within which bounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.durations import DAY
from synthcity.errors import DataError
from synthcity.market.periods import Period, Periods
from synthcity.pipeline.config import load_pipeline
from synthcity.pipeline.state import State
from synthcity.pipeline.steps.researching import researched
from synthcity.pipeline.worlds.rehearsal import Rehearsal
from synthcity.research import run as module
from synthcity.research.library import items
from tests.pipeline.standin import began

FILE = Path(__file__).parents[3] / "configs" / "quickstart-pipeline.yaml"
[SWEEP] = load_pipeline(FILE).sweeps.values()


def _done(**changes: Any) -> Any:
    arm = {"tests": 3, "promising": 2, "claims": ("a", "b"), "kept": ("a",), "gain": -0.5, **changes}
    return SimpleNamespace(arms=[SimpleNamespace(**arm)])


def test_it_ends_before_the_test_and_takes_half_of_what_is_left_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(module, "research", lambda config, folder: seen.append((config, folder)) or _done())
    told = researched(tmp_path, "prices", SWEEP, began(7), trials=3, seconds=600.0)
    [(config, folder)] = seen
    assert told.sentence.startswith("3 inputs tested, 2 promising, 1 of 2 claims kept, which gain ")
    assert (told.round, told.folder) == (7, str(folder))
    assert folder == tmp_path / "research" / "round-0007" / "research"
    periods = began().periods
    assert (config.folds.learn.start, config.folds.find.end) == (periods.train.start, periods.train.end)
    assert config.folds.confirm == periods.validation
    assert (config.time_budget, config.trials, config.rounds, config.seed) == (300.0, 3, 1, 7)
    assert (config.prices.path, config.prices.assets, config.library) == ("prices", ("BTC",), str(tmp_path / "library"))
    (folder / "labbook.jsonl").parent.mkdir(parents=True)
    (folder / "labbook.jsonl").write_text("a kill cut it off")
    researched(tmp_path, "prices", SWEEP, began(7), trials=3, seconds=None)
    assert seen[1][1] != folder
    assert seen[1][0].time_budget is None


def test_a_round_goes_on_where_there_can_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise DataError("prices begin too late")

    monkeypatch.setattr(module, "research", refuse)
    told = researched(tmp_path, "prices", SWEEP, began(), trials=3, seconds=None)
    assert (told.sentence, told.folder) == ("none: prices begin too late", "")


@pytest.mark.slow
def test_the_control_tests_inputs_on_the_rehearsed_market(tmp_path: Path) -> None:
    settings = [f"folder={tmp_path}", "settings=['data.assets=[BTC]', data.simulated.days=240]"]
    opening = load_pipeline(FILE, settings)
    [sweep] = opening.sweeps.values()
    world = Rehearsal(opening)
    end = int(world.now(State())) // DAY * DAY
    edges = (end - 230 * DAY, end - 40 * DAY, end - 20 * DAY, end)
    spans = {name: Period(start=edges[i], end=edges[i + 1]) for i, name in enumerate(("train", "validation", "test"))}
    round_ = replace(began(), periods=Periods(**spans))
    told = researched(tmp_path, world.store(sweep, State()), sweep, round_, trials=2, seconds=None)
    assert told.sentence.startswith("2 inputs tested, "), told.sentence
    assert told.seconds > 0
    assert (Path(told.folder) / "result.json").is_file()
    assert items(tmp_path / "library")[1] == []
