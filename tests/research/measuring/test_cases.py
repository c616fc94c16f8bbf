from __future__ import annotations

import numpy as np
import pytest

from synthcity.durations import DAY
from synthcity.errors import DataError
from synthcity.forecast.baselines import Fhs, FhsPlain
from synthcity.forecast.baselines.draws import Draws
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.research.known import known_of
from synthcity.research.measuring.cases import build_cases
from synthcity.sn50.competitions import get_competition
from synthcity.sn50.prompt import Prompt

CONFIG = SimulatedConfig(days=40)


def test_a_case_is_a_prompt_with_what_was_expected_and_what_came() -> None:
    market = SimulatedMarket(CONFIG).market(["BTC"])
    known = known_of(market, ["BTC"], 300)
    starts = [CONFIG.epoch + 30 * DAY, CONFIG.epoch + 39 * DAY + 3600]
    cases, told = build_cases(FhsPlain(), market, known, ["BTC"], get_competition("crypto-24h"), starts)
    assert told == ()
    assert cases.start.tolist() == starts[:1]  # the second is not over when prices end
    prices = market["BTC", 300].grid_price(starts[0] + 300 * np.arange(289))
    assert np.allclose(cases.returns[0], np.diff(np.log(prices)))
    prompt = Prompt(asset="BTC", start_time=starts[0], time_increment=300, time_length=DAY, num_simulations=4000)
    drawn = FhsPlain().log_steps(market.as_of(starts[0]).bars("BTC", 300), prompt, Draws(0)).std(axis=0)
    assert np.corrcoef(drawn, cases.expected[0])[0, 1] > 0.9
    assert (drawn / cases.expected[0]).mean() == pytest.approx(1.0, abs=0.05)


def test_an_asset_that_rests_is_told_and_left_out() -> None:
    market = SimulatedMarket(CONFIG).market(["XAU"])
    with pytest.raises(DataError, match="XAU: 1 prompts are left out, XAU rests"):
        build_cases(
            Fhs(),
            market,
            known_of(market, ["XAU"], 300),
            ["XAU"],
            get_competition("crypto-24h"),
            [CONFIG.epoch + 30 * DAY],
        )
