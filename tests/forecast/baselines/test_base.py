"""What all baselines share: from log steps to prices, and who may be asked what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from synthcity.errors import BundleError
from synthcity.forecast.baselines.base import Baseline, price_paths
from synthcity.forecast.baselines.draws import Draws
from synthcity.market.bars import Market
from synthcity.sn50.prompt import Prompt
from tests.forecast.conftest import DAY, START

PROMPT = Prompt(asset="BTC", start_time=START + 60 * DAY, time_length=3600, time_increment=300, num_simulations=9)


@dataclass(frozen=True)
class Nothing:
    pass


class Normal(Baseline):
    name: ClassVar[str] = "normal"
    config = Nothing()

    def log_steps(self, bars: Any, prompt: Prompt, draws: Draws) -> Any:
        return 0.01 * draws.normal(prompt.num_simulations, prompt.num_steps)


def test_prices_are_the_exponentials_of_added_steps() -> None:
    steps = np.array([[0.1, -0.2, 0.3], [0.0, 0.0, 0.5]])
    found = price_paths(100.0, steps, 0.0, Draws(0))
    np.testing.assert_allclose(found, 100 * np.exp([[0, 0.1, -0.1, 0.2], [0, 0, 0, 0.5]]))


@pytest.mark.parametrize("wait", [0.25, 4.0])
def test_the_move_before_t0_has_the_first_steps_scale_and_shifts_a_whole_path(wait: float) -> None:
    steps = 0.01 * np.random.default_rng(0).standard_normal((20_000, 2))
    moved = np.log(price_paths(1.0, steps, wait, Draws(1)))
    assert moved[:, 0].std() == pytest.approx(0.01 * np.sqrt(wait), rel=0.03)
    np.testing.assert_allclose(np.diff(moved, axis=1), steps, atol=1e-12)


def test_each_of_many_prompts_has_noise_of_its_own_and_the_seed_decides(market: Market) -> None:
    history = market.as_of(PROMPT.start_time)
    first, second = Normal().simulate_many(history, [PROMPT, PROMPT], seed=5)
    assert not np.array_equal(first, second)
    again, _ = Normal().simulate_many(history, [PROMPT, PROMPT], seed=5)
    np.testing.assert_array_equal(first, again)
    assert (first[:, 0] == history.last_price("BTC", 300)).all()


def test_quantised_draws_are_stratified(market: Market) -> None:
    history = market.as_of(PROMPT.start_time)
    (paths,) = Normal().simulate_quantised(history, [PROMPT], seed=5)
    share = np.sort(np.log(paths[:, 1] / paths[:, 0]) / 0.01)
    from scipy.stats import norm

    assert np.array_equal(np.floor(9 * norm.cdf(share)), np.arange(9)), "one draw in each ninth of the law"


def test_who_knows_later_prices_is_refused(market: Market) -> None:
    with pytest.raises(ValueError, match=r"history ends at .*, after the prompt's start"):
        Normal().simulate_many(market.as_of(PROMPT.start_time + 300), [PROMPT])


def test_a_class_from_elsewhere_is_not_saved_as_one_of_ours(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"Normal is saved by synthcity\.save, or by the name that it is found by"):
        Normal().save(tmp_path / "bundle")
