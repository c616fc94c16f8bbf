"""What is planted is found, what is not is not, and nobody reads the future."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.market.periods import Period
from synthcity.research.inputs import InputRefused
from synthcity.research.measuring.trial import Judge
from tests.research.conftest import ASSETS, FOLDS, HORIZONS, START, Wave


def test_what_is_planted_is_proven_on_every_fold_and_asset(swinging: Judge) -> None:
    tested = swinging.test([Wave()], FOLDS.finding)
    assert tested.lead.proven
    assert tested.lead.mean < -0.5
    assert set(tested.by_fold) == {"find1", "find2"}
    assert all(gain < 0 for gain in (*tested.by_fold.values(), *tested.lead.by_asset.values()))
    assert set(tested.lead.by_asset) == set(ASSETS)


def test_another_period_gains_nothing(swinging: Judge) -> None:
    tested = swinging.test([Wave(name="other", hours=9.3)], FOLDS.finding)
    assert not tested.lead.proven
    assert abs(tested.lead.mean) < 0.1


def test_the_same_test_has_the_same_figures(swinging: Judge) -> None:
    once, again = (swinging.test([Wave()], FOLDS.finding).lead for _ in range(2))
    assert once == again


def test_what_is_said_already_gains_nothing_more(swinging: Judge) -> None:
    first, shifted = Wave(), Wave(name="again", hours=7.0)
    beside = swinging.test([shifted], FOLDS.finding, beside=[first])
    assert not beside.lead.proven or abs(beside.lead.mean) < 0.02


def test_without_structure_few_inputs_look_promising(still: Judge) -> None:
    rng = np.random.default_rng(1)
    proven = [
        still.test(
            [Wave(name=f"wave {n}", hours=float(rng.uniform(2, 40)))], FOLDS.confirming, confidence=0.98
        ).lead.proven
        for n in range(40)
    ]
    assert sum(proven) <= 3


def test_an_input_that_reads_the_future_is_refused(still: Judge) -> None:
    with pytest.raises(InputRefused, match="reads the future"):
        still.test([Wave(name="seer", foresight=True)], FOLDS.finding)


def test_later_prices_change_no_earlier_score(judge_of: Callable[[float, int], Judge]) -> None:
    whole = judge_of(0.4, 0)
    cut = judge_of(0.4, 0)
    after = cut.cases.start > FOLDS.find.end
    cut.cases.prices[after] *= 3.0
    assert whole.test([Wave()], FOLDS.finding).lead == cut.test([Wave()], FOLDS.finding).lead


def test_too_little_to_learn_from_is_told_at_once(still: Judge) -> None:
    with pytest.raises(ConfigError, match="30 are needed"):
        Judge(still.cases, still.known, HORIZONS, {}, Period(start=START, end=START + 2 * DAY))


def test_a_fold_without_prompts_is_told(still: Judge) -> None:
    empty = Period(start=START + 200 * DAY, end=START + 201 * DAY)
    with pytest.raises(ConfigError, match="holds no prompt"):
        still.test([Wave()], {"empty": empty})
