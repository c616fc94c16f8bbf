from __future__ import annotations

import numpy as np
import pytest

from synthcity.durations import HOUR
from synthcity.errors import ConfigError
from synthcity.research.control.grammar import Grammar
from synthcity.research.control.recipes import After, Cycle, Follows, Marks, Recipe, is_schedule, log_level, recipe_of
from synthcity.research.inputs import ask
from synthcity.research.known import Known
from synthcity.research.measuring.trial import Judge
from tests.research.conftest import START, STEP


def test_every_recipe_keeps_the_contract_and_can_be_read_back(still: Judge) -> None:
    grammar = Grammar(still.known, 1)
    best: list[Recipe] = []
    rows = np.sort(np.random.default_rng(0).choice(len(still.known) - 100, 30, replace=False)) + 50
    ends = still.known.times[rows][:, None] + STEP * np.arange(1, 49)
    for _ in range(60):
        recipe = grammar.draw(best[-6:])
        best.append(recipe)
        said = ask(recipe, still.known, rows, ends, np.random.default_rng(0))
        assert said.past.shape[-1] + said.future.shape[-1] > 0
        assert recipe_of(recipe.to_dict()) == recipe


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(ConfigError, match="cycle"):
        recipe_of({**Cycle(hours=3.0, harmonics=1).to_dict(), "kind": "cycel"})


def test_marks_are_the_steps_that_begin_there(still: Judge) -> None:
    rows = np.array([1000])
    ends = still.known.times[rows][:, None] + STEP * np.arange(1, 289)
    inside = Marks(minutes=(5,), hours=(3,), weekdays=()).future(still.known, rows, ends)[0, 0, :, 0]
    begins = ends[0] - STEP
    assert ((begins[inside == 1] % HOUR) == 300).all()
    assert ((begins[inside == 1] % (24 * HOUR)) // HOUR == 3).all()
    assert inside.sum() == 1


def test_a_follower_is_told_only_what_its_leader_did_before_the_prompt(still: Judge) -> None:
    rows = np.array([1000])
    ends = still.known.times[rows][:, None] + STEP * np.arange(1, 289)
    told = Follows(leader="BTC", hours=2.0, span=1.0).future(still.known, rows, ends)[0, :, :, 0]
    assert not told[0].any()
    assert told[1, : 2 * HOUR // STEP].all()
    assert not told[1, 2 * HOUR // STEP :].any()


def test_what_is_announced_ebbs_from_when_it_is_due(still: Judge) -> None:
    assert is_schedule(still.known, "notices")
    assert not is_schedule(still.known, "funding")
    due = int(still.known.series["notices"][1][3])
    rows = np.array([(due - START) // STEP - 2])
    ends = still.known.times[rows][:, None] + STEP * np.arange(1, 49)
    told = After(series="notices", half_life_hours=1.0).future(still.known, rows, ends)[0, 0, :, 0]
    assert told[ends[0] - STEP < due].max() < 0.01
    assert told[ends[0] - STEP == due] == pytest.approx(1.0, abs=0.01)
    assert told[ends[0] - STEP == due + HOUR] == pytest.approx(0.5, abs=0.01)


def test_an_asset_that_came_later_has_a_level_of_its_own(still: Judge) -> None:
    bars = {asset: {name: values.copy() for name, values in own.items()} for asset, own in still.known.bars.items()}
    bars["ETH"]["close"][:8000] = np.nan
    level = log_level(Known(times=still.known.times, step=STEP, bars=bars), "ETH", 1.0)
    assert np.isnan(level[:8000]).all()
    cut = Known(times=still.known.times, step=STEP, bars=bars).until(9000)
    assert log_level(cut, "ETH", 1.0)[9000] == level[9000]
    assert abs(np.nanmedian(level)) < 0.5
