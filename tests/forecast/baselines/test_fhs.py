from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.forecast.baselines import baseline
from synthcity.forecast.baselines.fhs import Fhs, FhsConfig, FhsPlain
from synthcity.forecast.baselines.har import Har
from synthcity.forecast.evaluation.backtest import backtest, backtest_prompts
from synthcity.forecast.evaluation.compare import lead
from synthcity.forecast.forecaster import Shifted
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import Bars, Market
from synthcity.market.calendar.events.calendar import NOTHING, Calendar
from synthcity.market.calendar.events.learning import learn
from synthcity.market.calendar.events.outlook import Outlook
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.simulated.releases import release_calendar
from synthcity.sn50.prompt import Prompt

START = 1_748_736_000
T0 = START + 62 * 86400
PROMPT = Prompt(asset="BTC", start_time=T0, num_simulations=1000)


def _steps(bars: Bars, scale: np.ndarray, law: str = "normal") -> np.ndarray:
    """Steps (1000, 288) that FHS draws after a walk of 0.001 * ``scale`` a bar."""
    rng = np.random.default_rng(5)
    draws = rng.standard_normal(len(bars)) if law == "normal" else rng.standard_t(4, len(bars))
    close = 100 * np.exp(np.cumsum(0.001 * scale * draws))
    market = Market({("BTC", 300): Bars(bars.time, close, close, close, close, bars.volume, 300)})
    return np.diff(np.log(Fhs().simulate(market.as_of(T0), PROMPT, seed=1)))


def test_decodes_the_time_of_day(bars_factory) -> None:  # type: ignore[no-untyped-def]
    bars = bars_factory(days=62)
    afternoon = bars.time % 86400 >= 43200
    sigma = _steps(bars, np.where(afternoon, 2.0, 1.0)).std(axis=0)
    ratio = sigma[150:280].mean() / sigma[10:140].mean()
    assert 1.7 < ratio < 2.0  # planted 2, shrunk a tenth towards 1


def test_a_calm_spell_counts_half_and_fades(bars_factory) -> None:  # type: ignore[no-untyped-def]
    bars = bars_factory(days=62)
    recent = bars.time >= T0 - 86400
    sigma = _steps(bars, np.where(recent, 0.3, 1.0)).std(axis=0)
    assert 0.5 < sigma[:12].mean() / 0.001 < 0.8
    assert sigma[-12:].mean() > 1.15 * sigma[:12].mean()


def test_keeps_the_shape_of_the_residuals(bars_factory) -> None:  # type: ignore[no-untyped-def]
    bars = bars_factory(days=62)
    flat = np.ones(len(bars))

    def tail(steps: np.ndarray) -> float:
        return float(np.mean(np.abs(steps) > 4 * steps.std()))

    assert tail(_steps(bars, flat, "t")) > 0.002
    assert tail(_steps(bars, flat)) < 0.0006
    assert abs(_steps(bars, flat).mean()) < 5e-6  # symmetrised: no drift


def test_quantised_paths_hold_the_quantiles_of_the_law(bars_factory) -> None:  # type: ignore[no-untyped-def]
    bars = bars_factory(days=62)
    history = Market({("BTC", 300): bars}).as_of(T0)
    law = np.diff(np.log(Fhs().simulate(history, replace(PROMPT, num_simulations=40_000), seed=0)))
    (paths,) = Fhs().simulate_quantised(history, [PROMPT], seed=1)
    steps = np.diff(np.log(paths))
    middles = (np.arange(1000) + 0.5) / 1000
    np.testing.assert_allclose(
        np.quantile(steps, middles[50:950], axis=0), np.quantile(law, middles[50:950], axis=0), atol=8e-5
    )
    np.testing.assert_allclose(steps.std(axis=0), law.std(axis=0), rtol=0.03)
    np.testing.assert_allclose(steps.sum(axis=1).std(), law.sum(axis=1).std(), rtol=0.08)
    assert np.abs(steps.mean(axis=0)).max() < 1e-9, "no column drifts"
    np.testing.assert_array_equal(paths, Quantised(Fhs()).simulate(history, PROMPT, seed=1))


BURSTING = SimulatedConfig(seed=2, days=75, bursts=2.0)


@pytest.fixture(scope="module")
def bursting() -> Market:
    return SimulatedMarket(BURSTING).market(["BTC"])


def _sigma(market: Market, start_time: int, shift: int | None = None, name: str = "fhs") -> np.ndarray:
    """Standard deviation (288,) of the steps from ``start_time`` on."""
    asked = {"asset": "BTC", "start_time": start_time, "num_simulations": 2000}
    prompt = Prompt(**asked) if shift is None else Shifted(**asked, shift=shift)
    (paths,) = baseline(name).simulate_quantised(market.as_of(start_time), [prompt], seed=1)
    return np.diff(np.log(paths), axis=1).std(axis=0)


def test_a_prompt_at_three_minutes_past_gets_other_steps_than_one_at_noon(bursting: Market) -> None:
    noon = BURSTING.epoch + 70 * 86400 + 43200
    at, past = _sigma(bursting, noon), _sigma(bursting, noon, shift=180)
    # of the hours from 12:00 and from 12:03 on, the full hour lies in the first step and in the last one
    hours_at, hours_past = at.reshape(24, 12).mean(axis=0), past.reshape(24, 12).mean(axis=0)
    assert (hours_at.argmax(), hours_past.argmax()) == (0, 11)
    assert hours_at[0] > 1.12 * hours_at.mean()
    assert hours_past[11] > 1.1 * hours_past.mean()
    np.testing.assert_allclose(_sigma(bursting, noon, shift=0), at)
    np.testing.assert_allclose(_sigma(bursting, noon, shift=3600)[:-12], at[12:], rtol=0.1)


def test_the_plain_form_knows_no_minutes(bursting: Market) -> None:
    noon = BURSTING.epoch + 70 * 86400 + 43200
    np.testing.assert_array_equal(_sigma(bursting, noon, 180, "fhs-plain"), _sigma(bursting, noon, None, "fhs-plain"))


def test_bursts_lower_the_score_where_there_are_any(bursting: Market) -> None:
    start = BURSTING.epoch + 62 * 86400
    prompts = backtest_prompts("crypto-24h", ["BTC"], start, start + 12 * 86400, 39600, 400)
    scores = backtest([Quantised(Fhs()), Quantised(FhsPlain())], bursting, prompts, "crypto-24h").scores
    assert lead(scores, "fhs+q", "fhs-plain+q", weights={"BTC": 1.0}).mean < -0.3


RECORDED = {  # by the tree from before there were bursts: three points of a path that is drawn, and of one quantised
    "market": [
        81.89591288480503,
        81.57518988241732,
        82.04035132391824,
        81.97159172285261,
        82.27236756793127,
        80.94130371859256,
    ],
    "sessions": [
        112.03862160080736,
        112.44967869857022,
        112.72583587527073,
        112.00175952747503,
        112.43422275653776,
        109.33992588995461,
    ],
}


@pytest.mark.parametrize("kind", RECORDED)
def test_the_plain_form_gives_the_numbers_it_always_gave(kind: str, request: pytest.FixtureRequest) -> None:
    market: Market = request.getfixturevalue(kind)
    ((asset, _),) = list(market)[:1]
    history = market.as_of(T0 + 2 * 86400 + 15 * 3600)  # a Monday
    prompt = Prompt(asset=asset, start_time=history.now, num_simulations=16)
    drawn = FhsPlain().simulate(history, prompt, seed=1)
    (quantised,) = FhsPlain().simulate_quantised(history, [prompt], seed=1)
    found = [*drawn[3, [1, 20, 288]], *quantised[3, [1, 20, 288]]]
    np.testing.assert_allclose(found, RECORDED[kind], rtol=1e-12)
    np.testing.assert_array_equal(Fhs(FhsConfig(bursts=None)).simulate(history, prompt, seed=1), drawn)


RELEASING = SimulatedConfig(seed=3, days=150, releases_a_week=3, fast_spread=0.2)
RELEASE = next(e.time for e in release_calendar(RELEASING).dated if e.time > RELEASING.epoch + 130 * 86400)


def _with_calendar(bars: Market, calendar: Calendar) -> Market:
    """The market with what its releases did in the first 90 days."""
    known = learn({"BTC": bars["BTC", 300]}, release_calendar(RELEASING), RELEASING.epoch + 90 * 86400, {})
    return Market(bars, Outlook(calendar=calendar, responses=(known,)))


@pytest.fixture(scope="module")
def releasing() -> Market:
    bars = SimulatedMarket(RELEASING).market(["BTC"])
    return _with_calendar(bars, release_calendar(RELEASING))


def test_a_release_that_is_known_moves_its_steps_and_not_those_before(releasing: Market) -> None:
    start = RELEASE - 6 * 3600
    expected, without = _sigma(releasing, start), _sigma(Market(releasing), start)
    ratio = expected / without
    assert ratio[72] > 2, "the step that begins with it"
    assert ratio[72] > ratio[75] > ratio[78]
    np.testing.assert_allclose(ratio[:60], 0.985, atol=0.02)
    plain = [_sigma(market, start, name="fhs-plain") for market in (releasing, Market(releasing))]
    np.testing.assert_array_equal(*plain)


def test_what_has_passed_does_not_raise_the_volatility_that_is_expected(releasing: Market) -> None:
    quiet = SimulatedMarket(replace(RELEASING, releases_a_week=0)).market(["BTC"])
    raised = []
    for release in [e.time for e in release_calendar(RELEASING).dated[45:60:3]]:
        start, night = release + 4 * 3600, slice(60, 130)  # when no other release is near
        sigma = [_sigma(market, start)[night].mean() for market in (quiet, releasing, Market(releasing))]
        raised.append(np.log(sigma[1:]) - np.log(sigma[0]))
    told, untold = np.mean(raised, axis=0)
    assert abs(told) < 0.03
    assert untold > told + 0.05


def test_an_event_is_not_seen_before_it_was_published(releasing: Market) -> None:
    calendar = release_calendar(RELEASING)
    start = RELEASE - 3600
    hidden = Calendar(
        tuple(replace(e, known_from=start + 1) if e.time == RELEASE else e for e in calendar.dated), has_rules=False
    )
    never = Calendar(tuple(e for e in calendar.dated if e.time != RELEASE), has_rules=False)
    bars = Market(releasing)
    np.testing.assert_array_equal(
        _sigma(_with_calendar(bars, hidden), start), _sigma(_with_calendar(bars, never), start)
    )


def test_days_without_a_release_are_untouched_to_the_bit(releasing: Market) -> None:
    nothing = Market(releasing, Outlook(calendar=NOTHING, responses=releasing.foresight.responses))  # type: ignore[union-attr]
    start = RELEASE - 3600
    np.testing.assert_array_equal(_sigma(nothing, start), _sigma(Market(releasing), start))


@pytest.mark.parametrize("kind", [Fhs, Har])
def test_a_calendar_lowers_the_score_where_there_are_releases(kind: type[Fhs], releasing: Market) -> None:
    start = RELEASING.epoch + 95 * 86400
    prompts = backtest_prompts("crypto-24h", ["BTC"], start, start + 50 * 86400, 2 * 86400, 300)
    with_calendar, without = (
        backtest([Quantised(kind())], market, prompts, "crypto-24h").scores["total"]
        for market in (releasing, Market(releasing))
    )
    assert with_calendar.mean() < 0.996 * without.mean()
