from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.durations import DAY, HOUR
from synthcity.market.bars import Bars, Market
from synthcity.market.periods import Period
from synthcity.research.informed import learning
from synthcity.research.informed.forecaster import Informed
from synthcity.research.informed.kept import Kept
from synthcity.research.informed.learning import learn
from synthcity.research.labbook import Origin
from synthcity.research.measuring.trial import Judge
from synthcity.sn50.prompt import Prompt
from tests.research.conftest import ASSETS, START, STEP, STEPS
from tests.research.informed.conftest import TRAIN, WAVES, competition


def test_what_is_planted_is_learned_and_the_level_stays(learned: Informed, swings: Market) -> None:
    now = START + 70 * DAY
    prompt = Prompt(asset="ETH", start_time=now, time_increment=STEP, time_length=STEPS * STEP, num_simulations=1)
    log = np.log(learned.multiplier(swings.as_of(now), prompt))
    planted = 0.4 * np.cos(2 * np.pi * prompt.grid[1:] / (7 * HOUR))
    assert np.corrcoef(log, planted)[0, 1] > 0.98
    assert log.std() == pytest.approx(planted.std(), rel=0.35)  # drawn to nothing a little
    assert set(learned.levels) == set(ASSETS)
    assert all(1.0 < level < 1.2 for level in learned.levels.values())  # of the mean of an exponential


def test_nothing_after_the_period_is_learned_from(learned: Informed, swings: Market) -> None:
    def doubled(bars: Bars) -> Bars:
        return replace(bars, close=np.where(bars.observed > TRAIN.end, 2.0, 1.0) * bars.close)

    other, _ = learn([WAVES], Market({k: doubled(b) for k, b in swings.items()}), ASSETS, competition(), TRAIN)
    assert other is not None
    assert np.array_equal(other.inputs[0].coefficients, learned.inputs[0].coefficients)


def test_an_input_that_fails_is_left_out_and_told(swings: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Kept.of("follows-x", Origin(recipe={"kind": "follows", "leader": "SOL", "hours": 1.0, "span": 1.0}))
    monkeypatch.setattr(learning, "_MOST_CASES", 60)
    found, notes = learn([broken, WAVES], swings, ASSETS, competition(), TRAIN)
    assert found is not None
    assert [one.kept for one in found.inputs] == [WAVES]
    assert notes == ("the kept input follows-x is left out: it reads prices of SOL, which are not there",)


def test_a_period_without_prompts_leaves_nothing_to_learn(swings: Market) -> None:
    early = Period(start=START, end=START + 3 * DAY)
    found, notes = learn([WAVES], swings, ASSETS, competition(), early)
    assert found is None
    assert notes[0].startswith("there is nothing to learn the kept inputs from: ")


def test_prompts_are_few_however_long_the_period(still: Judge, swings: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def build(*given: object, **_: object) -> object:
        asked.extend(given[5])  # type: ignore[arg-type, call-overload]
        return still.cases, ()

    monkeypatch.setattr(learning, "build_cases", build)
    monkeypatch.setattr(learning, "_MOST_CASES", 30)
    learn([], swings, ASSETS, competition(), TRAIN)
    gaps = set(np.diff(asked).tolist())
    assert gaps == {33 * HOUR}
    assert len(asked) * len(ASSETS) <= 30
