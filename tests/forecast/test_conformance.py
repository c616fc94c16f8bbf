"""The suite for forecasters finds who breaks it, each fault by the check that is named after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synthcity.conformance import Broken, broken
from synthcity.forecast.baselines import baseline
from synthcity.forecast.conformance import CHECKS, T0, with_other_future
from synthcity.market.bars import Bars
from tests.forecast.conftest import make_bars


class Faulty:
    """A good forecaster with one fault."""

    def __init__(self, fault: str) -> None:
        self.name = "" if fault == "has_a_name_and_its_methods" else "faulty"
        self.fault, self.calls = fault, 0

    def simulate(self, history: Any, prompt: Any, *, seed: int | None = None) -> Any:
        self.calls += 1
        if self.fault == "the_seed_decides":
            seed = (seed or 0) + self.calls
        paths = baseline("trailing").simulate(history, prompt, seed=seed)
        if self.fault == "paths_are_prices_of_the_asked_shape":
            return paths[:, :-1]
        if self.fault == "paths_start_at_the_last_price":
            return 1.01 * paths
        if self.fault == "the_history_stays_as_it_is":
            history.bars(prompt.asset, prompt.time_increment).close[0] = 1.0
        return paths

    def simulate_many(self, history: Any, prompts: Any, *, seed: int | None = None) -> Any:
        found = [self.simulate(history, prompt, seed=seed) for prompt in prompts]
        return found[:1] if self.fault == "many_prompts_give_as_many_ensembles" else found


@pytest.mark.parametrize(
    "fault",
    [
        "has_a_name_and_its_methods",
        "paths_are_prices_of_the_asked_shape",
        "paths_start_at_the_last_price",
        "the_seed_decides",
        "the_history_stays_as_it_is",
        "many_prompts_give_as_many_ensembles",
    ],
)
def test_a_fault_is_found_by_its_check(fault: str) -> None:
    check = {fault: CHECKS[fault]}
    assert broken(check, lambda: Faulty("")) == {}
    assert list(broken(check, lambda: Faulty(fault))) == [fault]


def test_who_sees_the_future_is_found() -> None:
    class Seer(Faulty):
        def simulate(self, history: Any, prompt: Any, *, seed: int | None = None) -> Any:
            market = getattr(history, "market", None) or history._market
            last = float(market[prompt.asset, prompt.time_increment].close[-1])
            return np.full((prompt.num_simulations, prompt.num_steps + 1), last)

    with pytest.raises(Broken):
        CHECKS["the_future_changes_nothing"](lambda: Seer(""))


def test_another_future_leaves_the_past() -> None:
    bars: Bars = make_bars(days=3)
    now = int(bars.observed[400])
    other = with_other_future(bars, now)
    np.testing.assert_array_equal(other.close[:401], bars.close[:401])
    assert (other.close[401:] > 1.4 * bars.close[401:]).all()
    assert T0 % 86400 == 0
