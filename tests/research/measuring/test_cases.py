from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.durations import DAY
from synthcity.errors import DataError
from synthcity.forecast.baselines import Fhs, FhsPlain
from synthcity.forecast.baselines.draws import Draws
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.research.known import known_of
from synthcity.research.measuring.cases import build_cases
from synthcity.research.measuring.trial import Judge
from synthcity.sn50.competitions import get_competition
from synthcity.sn50.prompt import Prompt

CONFIG = SimulatedConfig(days=40)


def test_a_case_is_a_prompt_with_what_was_expected_and_what_came() -> None:
    market = SimulatedMarket(CONFIG).market(["BTC"])
    known = known_of(market, ["BTC"], 300)
    starts = [CONFIG.epoch + 30 * DAY, CONFIG.epoch + 39 * DAY + 3600]
    cases, told = build_cases(FhsPlain(), market, known, ["BTC"], get_competition("crypto-24h"), starts)
    assert told == ("BTC: 1 prompt is left out, its prices begin later or end sooner",)
    assert cases.start.tolist() == starts[:1]  # the second is not over when prices end
    prices = market["BTC", 300].grid_price(starts[0] + 300 * np.arange(289))
    assert np.allclose(cases.returns[0], np.diff(np.log(prices)))
    prompt = Prompt(asset="BTC", start_time=starts[0], time_increment=300, time_length=DAY, num_simulations=4000)
    drawn = FhsPlain().log_steps(market.as_of(starts[0]).bars("BTC", 300), prompt, Draws(0)).std(axis=0)
    assert np.corrcoef(drawn, cases.expected[0])[0, 1] > 0.9
    assert (drawn / cases.expected[0]).mean() == pytest.approx(1.0, abs=0.05)


def test_an_asset_that_rests_is_told_and_left_out() -> None:
    market = SimulatedMarket(CONFIG).market(["XAU"])
    with pytest.raises(DataError, match="XAU: 1 prompt is left out, XAU rests"):
        build_cases(
            Fhs(),
            market,
            known_of(market, ["XAU"], 300),
            ["XAU"],
            get_competition("crypto-24h"),
            [CONFIG.epoch + 30 * DAY],
        )


def test_every_prompt_that_is_left_out_is_told_with_its_reason() -> None:
    market = SimulatedMarket(CONFIG).market(["BTC"])
    known = known_of(market, ["BTC"], 300)
    first = CONFIG.epoch + 30 * DAY
    known.bars["BTC"]["close"][(first - int(known.times[0])) // 300] = np.nan
    starts = [CONFIG.epoch + DAY, first, first + 3600, first + 30 * DAY, first + 31 * DAY]
    asked = []
    cases, told = build_cases(
        FhsPlain(),
        market,
        known,
        ["BTC"],
        get_competition("crypto-24h"),
        starts,
        lambda done, total: asked.append((done, total)),
    )
    assert cases.start.tolist() == [first + 3600]
    assert [text.partition(" left out, ")[0] for text in told] == [
        "BTC: 1 prompt is",
        "BTC: 1 prompt is",
        "BTC: 2 prompts are",
    ]
    assert told[1].endswith("its price at the start or at the end was not seen")
    assert told[2].endswith("its prices begin later or end sooner")
    assert asked == [(done, 5) for done in range(1, 6)]


def test_a_crash_is_cut_by_what_was_usual_among_the_cases_that_are_asked_for(still: Judge) -> None:
    cases = still.cases
    early = np.arange(len(cases)) < len(cases) // 2
    later = np.where(early[:, None], cases.prices, 100 * cases.prices)
    changed = replace(cases, prices=later)
    assert np.array_equal(changed.moves(early), cases.moves(early))
    assert cases.moves(early).shape == (early.sum(), cases.horizon)
    nothing = replace(cases, prices=np.full_like(cases.prices, np.nan))
    assert np.isnan(nothing.moves(early)).all()
