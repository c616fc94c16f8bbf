from __future__ import annotations

import numpy as np
import pytest

from synthcity.durations import DAY
from synthcity.forecast.baselines.fhs import Fhs, FhsConfig
from synthcity.forecast.baselines.sessions import SessionConfig
from synthcity.forecast.evaluation.backtest import backtest, backtest_prompts
from synthcity.forecast.evaluation.compare import lead
from synthcity.forecast.named import Named
from synthcity.market.bars import Bars, Market
from synthcity.market.calendar.clock import new_york
from synthcity.market.calendar.holidays import us_shut
from synthcity.market.calendar.sessions import Session, is_open
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.times import parse_time
from synthcity.sn50.prompt import Prompt

START = parse_time("2025-08-04")
END = parse_time("2025-12-06")
SIGMA = 0.001


def walk(
    session: Session, *, night: float = 7.0, weekend: float = 7.0, still: float = 0.0, seed: int = 0, end: int = END
) -> Bars:
    """Bars of ``session`` that move by SIGMA, the first after a closure by ``night`` or ``weekend`` times as much.

    ``still`` is the share of steps from midnight to six in New York that do not move.
    """
    rng = np.random.default_rng(seed)
    time = np.arange(START, end, 300)
    time = time[is_open(session, time) & ~(us_shut(time) & (session is Session.US_EQUITY))]
    closed = np.diff(time, prepend=time[0] - 300)
    scale = np.where(closed > 2 * DAY, weekend, np.where(closed > 300, night, 1.0))
    scale *= ~((new_york(time) % DAY < 6 * 3600) & (rng.random(len(time)) < still))
    close = 100 * np.exp(np.cumsum(SIGMA * scale * rng.standard_normal(len(time))))
    return Bars(time, close, close, close, close, np.ones(len(time)), 300)


def filled(bars: Bars) -> Bars:
    """The same with the last price repeated wherever there is no bar."""
    time = np.arange(bars.time[0], bars.time[-1] + 1, 300)
    close = bars.close[np.searchsorted(bars.time, time, side="right") - 1]
    return Bars(time, close, close, close, close, np.zeros(len(time)), 300)


def steps_of(bars: Bars, start: str, config: SessionConfig | None = None, num_simulations: int = 2000) -> np.ndarray:
    """Log returns (num_simulations, 288) that FHS draws from ``start`` (UTC) on."""
    t0 = parse_time(start)
    prompt = Prompt(asset="SP500", start_time=t0, num_simulations=num_simulations)
    forecaster = Fhs(FhsConfig(sessions=config or SessionConfig()))
    paths = forecaster.simulate(Market({("SP500", 300): bars}).as_of(t0), prompt, seed=1)
    return np.diff(np.log(paths))


def test_quantised_paths_rest_gap_and_stand_still_as_drawn_ones_do() -> None:
    bars = walk(Session.US_EQUITY, night=7.0)
    t0 = parse_time("2025-11-19T15:00")
    prompt = Prompt(asset="SP500", start_time=t0, num_simulations=2000)
    history = Market({("SP500", 300): bars}).as_of(t0)
    (paths,) = Fhs().simulate_quantised(history, [prompt], seed=1)
    steps, drawn = np.diff(np.log(paths)), steps_of(bars, "2025-11-19T15:00")
    np.testing.assert_allclose(steps.std(axis=0), drawn.std(axis=0), rtol=0.08, atol=1e-9)
    assert steps[:, 282].std() > 3 * SIGMA, "the first step after the night"
    assert np.abs(steps.mean(axis=0)).max() < 0.01 * SIGMA < np.abs(drawn.mean(axis=0)).max()


def test_a_closed_market_stands_still() -> None:
    steps = steps_of(walk(Session.US_EQUITY), "2025-11-19T15:00")  # Wednesday, 10:00 in New York
    moves = steps.std(axis=0) > 1e-9
    np.testing.assert_array_equal(moves, [True] * 72 + [False] * 210 + [True] * 6)
    assert abs(steps[:, :72].std() / SIGMA - 1) < 0.1


def test_the_first_step_carries_the_night() -> None:
    first = steps_of(walk(Session.US_EQUITY, night=9.0), "2025-11-19T15:00")[:, 282].std()
    assert abs(first / (9 * SIGMA) - 1) < 0.2
    # a quiet night is told from a loud one
    assert steps_of(walk(Session.US_EQUITY, night=2.0, weekend=2.0), "2025-11-19T15:00")[:, 282].std() < first / 3


def test_the_night_grows_with_the_volatility_of_the_day() -> None:
    bars = walk(Session.US_EQUITY)
    loud = np.where(bars.time > parse_time("2025-11-12"), 3.0, 1.0)
    move = np.diff(np.log(bars.close), prepend=np.log(bars.close[0])) * loud
    close = 100 * np.exp(np.cumsum(move))
    calm, stormy = (
        steps_of(one, "2025-11-19T15:00")[:, 282].std()
        for one in (bars, Bars(bars.time, close, close, close, close, bars.volume, 300))
    )
    assert 2 < stormy / calm < 3.3


def test_a_weekend_weighs_more_than_a_night_by_a_power_of_its_length() -> None:
    bars = walk(Session.US_EQUITY)
    night, weekend = (
        steps_of(bars, start, num_simulations=20_000) for start in ("2025-11-20T15:00", "2025-11-23T20:00")
    )
    assert (weekend.std(axis=0) > 1e-9).sum() == 66  # nothing before Monday's opening, 14:30 UTC
    ratio = np.median(np.abs(weekend[:, 222])) / np.median(np.abs(night[:, 282]))
    assert abs(ratio / (65.58 / 17.58) ** 0.1 - 1) < 0.05
    flat = SessionConfig(gap_length_power=0.0)
    night, weekend = (steps_of(bars, start, flat, 20_000) for start in ("2025-11-20T15:00", "2025-11-23T20:00"))
    assert abs(np.median(np.abs(weekend[:, 222])) / np.median(np.abs(night[:, 282])) - 1) < 0.05


def test_few_gaps_are_drawn_towards_what_a_closed_step_is_worth() -> None:
    bars = walk(Session.US_EQUITY, night=0.5, weekend=0.5, end=START + 30 * DAY)
    strong = SessionConfig(gap_prior_count=1e6, gap_prior_rate=0.25)
    first = steps_of(bars, "2025-09-02T15:00", strong, 20_000)[:, 270].std()
    assert abs(first / (SIGMA * np.sqrt(0.25 * 210)) - 1) < 0.15
    weak = SessionConfig(gap_prior_count=0.0)
    assert steps_of(bars, "2025-09-02T15:00", weak, 20_000)[:, 270].std() < SIGMA


def test_clocks_count_trading_time() -> None:
    bars = walk(Session.US_EQUITY)
    last_day = bars.time > parse_time("2025-11-18T21:00")
    move = np.diff(np.log(bars.close), prepend=np.log(bars.close[0])) * np.where(last_day, 0.3, 1.0)
    close = 100 * np.exp(np.cumsum(move))
    calmed = Bars(bars.time, close, close, close, close, bars.volume, 300)
    # after a calm day the evening forecast of the next morning has not forgotten it: the night is no time
    sigma = steps_of(calmed, "2025-11-19T21:00").std(axis=0) / steps_of(bars, "2025-11-19T21:00").std(axis=0)[[211]]
    assert 0.4 < sigma[211:217].mean() < 0.8


def test_a_feed_that_repeats_the_last_price_changes_nothing() -> None:
    bars = walk(Session.US_EQUITY)
    for start in ("2025-11-19T15:00", "2025-11-19T22:00", "2025-11-23T20:00"):
        np.testing.assert_allclose(steps_of(filled(bars), start), steps_of(bars, start), atol=1e-12)


def test_keeps_holidays_of_us_hours() -> None:
    steps = steps_of(walk(Session.US_EQUITY), "2025-11-26T19:00")  # the eve of Thanksgiving, 14:00 in New York
    np.testing.assert_array_equal(steps.std(axis=0) > 1e-9, [True] * 24 + [False] * 264)
    steps = steps_of(walk(Session.FUTURES), "2025-11-26T19:00")
    np.testing.assert_array_equal(steps.std(axis=0) > 1e-9, [True] * 36 + [False] * 12 + [True] * 240)


def test_follows_new_york_through_a_change_of_clocks() -> None:
    monday = steps_of(walk(Session.US_EQUITY), "2025-11-03T00:00")  # the first after summer time
    assert np.flatnonzero(monday.std(axis=0) > 1e-9)[[0, -1]].tolist() == [14.5 * 12, 21 * 12 - 1]


def test_a_thin_night_stands_still_now_and_then() -> None:
    bars = walk(Session.ALWAYS, still=0.6)
    steps = steps_of(bars, "2025-11-19T05:00")  # midnight in New York
    still = (steps == 0).mean(axis=0)
    assert abs(still[6:66].mean() - 0.6) < 0.05
    assert still[78:280].max() < 0.01
    moving = steps[:, 6:66][steps[:, 6:66] != 0]
    assert abs(moving.std() / SIGMA - 1) < 0.15


def test_round_the_clock_is_plain() -> None:
    bars = walk(Session.ALWAYS)
    t0 = parse_time("2025-11-19T15:00")
    history, prompt = Market({("BTC", 300): bars}).as_of(t0), Prompt(asset="BTC", start_time=t0, num_simulations=50)
    plain = Fhs(FhsConfig(sessions=None)).simulate(history, prompt, seed=1)
    np.testing.assert_array_equal(Fhs().simulate(history, prompt, seed=1), plain)


def test_steps_have_no_drift() -> None:
    steps = steps_of(walk(Session.FUTURES), "2025-11-19T15:00", num_simulations=20_000)
    assert abs(steps.sum(axis=1).mean()) < 4 * steps.sum(axis=1).std() / np.sqrt(20_000)


def test_beats_the_plain_form_on_a_market_with_sessions() -> None:
    market = SimulatedMarket(SimulatedConfig(days=150)).market(["SP500", "XAU"])
    end = int(market["XAU", 300].observed[-1])
    prompts = backtest_prompts("com-equ-24h", ["SP500", "XAU"], end - 70 * DAY, end, 11 * 3600 + 300, 200)
    plain = Named(Fhs(FhsConfig(sessions=None)), "plain")
    result = backtest([Fhs(), plain], market, prompts, "com-equ-24h")
    found = lead(result.scores, "fhs", "plain")
    assert found.num_prompts > 80
    assert found.mean < -0.1
    assert max(found.by_asset.values()) < 0


def test_refuses_a_gap_without_variance() -> None:
    with pytest.raises(ValueError, match=r"must exceed 2 .* got 2"):
        SessionConfig(gap_degrees_of_freedom=2)
