from __future__ import annotations

import numpy as np
import pytest

from synthcity.forecast.baselines.reference import HOURLY_SIGMA, Reference, ReferenceConfig
from synthcity.market.bars import Market
from synthcity.sn50.prompt import Prompt

START = 1_748_736_000


@pytest.mark.parametrize(("asset", "sigma"), [("BTC", 0.00541), ("SPCX", 0.005)])
def test_one_hour_moves_by_the_published_sigma(asset: str, sigma: float, bars_factory) -> None:  # type: ignore[no-untyped-def]
    history = Market({(asset, 300): bars_factory(days=0.01)}).as_of(START + 3600)
    paths = Reference().simulate(history, Prompt(asset=asset, start_time=START + 3600, num_simulations=2000), seed=1)
    hourly = np.diff(np.log(paths[:, ::12]))
    assert abs(hourly.std() / sigma - 1) < 0.02


def test_config_overrides_one_asset(bars_factory) -> None:  # type: ignore[no-untyped-def]
    history = Market({("BTC", 300): bars_factory(days=0.01)}).as_of(START + 3600)
    prompt = Prompt(asset="BTC", start_time=START + 3600)
    doubled = ReferenceConfig(hourly_sigma={"BTC": 2 * HOURLY_SIGMA["BTC"]})
    plain, wide = (Reference(config).simulate(history, prompt, seed=1) for config in (None, doubled))
    np.testing.assert_allclose(np.log(wide / wide[0, 0]), 2 * np.log(plain / plain[0, 0]), atol=1e-12)
