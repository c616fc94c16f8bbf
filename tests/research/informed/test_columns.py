"""What inputs say of every window of networks: as a forecast is told it, and nothing of what comes later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.authored.locked.isolation import check_isolation
from synthcity.authored.locked.lock import NotIsolated
from synthcity.durations import DAY, HOUR
from synthcity.errors import DataError
from synthcity.market.bars import Bars, Market
from synthcity.market.dataset import Dataset, build_dataset
from synthcity.market.windows import WindowSpec
from synthcity.research.control.recipes import Follows, Ratio, Recipe
from synthcity.research.informed import columns
from synthcity.research.informed.columns import with_inputs
from synthcity.research.informed.forecaster import Informed
from synthcity.research.informed.kept import Kept
from synthcity.research.informed.learning import learn
from synthcity.research.labbook import Origin
from synthcity.sn50.prompt import Prompt
from tests.research.conftest import ASSETS, START, STEP, STEPS, WAVE
from tests.research.informed.conftest import TRAIN, competition
from tests.research.informed.test_forecaster import by_hand

BEGIN, MIDDLE, END = START + 35 * DAY, START + 38 * DAY, START + 40 * DAY


def windows(market: Market) -> Dataset:
    """Five days of windows of four hours, the last two of them for validation."""
    return build_dataset(
        market.until(END),
        competition="crypto-24h",
        rules="2026-09",
        spec=WindowSpec.of(STEP, STEPS),
        assets=ASSETS,
        train=(BEGIN, MIDDLE),
        validation=(MIDDLE, END),
        validation_every=5 * HOUR,
        coefficients=dict.fromkeys(ASSETS, 1.0),
    )


def told(dataset: Dataset, asset: str) -> dict[int, np.ndarray]:
    """What is foretold of an asset by the start of the window, unix seconds."""
    table = dataset.tables[asset]
    assert table.foretold is not None
    return dict(zip(table.time[table.foretold.rows].tolist(), table.foretold.values, strict=True))


def reading(*recipes: Recipe) -> list[Kept]:
    return [Kept.of(recipe.kind, Origin(recipe=recipe.to_dict())) for recipe in recipes]


@pytest.fixture(scope="module")
def plain(swings: Market) -> Dataset:
    return windows(swings)


@pytest.fixture(scope="module")
def past(swings: Market) -> Informed:
    """Inputs that read prices, so that something could be foreseen."""
    kept = reading(Ratio(short_hours=1.0, long_hours=9.0), Follows(leader="ETH", hours=2.0, span=0.5))
    found, notes = learn(kept, swings, ASSETS, competition(), TRAIN)
    assert (notes, found is not None) == ((), True)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_MOST", 120)
    monkeypatch.setattr(columns, "_AT_ONCE", 50)


def test_a_window_is_told_what_a_forecast_from_its_start_is_told(
    swings: Market, plain: Dataset, past: Informed
) -> None:
    calls: list[tuple[int, int]] = []
    found = with_inputs(plain, past, swings, lambda done, total: calls.append((done, total)))
    assert calls[-1][0] == calls[-1][1] > 100
    assert found.spec == replace(plain.spec, inputs=True)
    for asset in ASSETS:
        values = told(found, asset)
        for start in list(values)[::40]:
            asked = Prompt(
                asset=asset, start_time=start, time_increment=STEP, time_length=STEPS * STEP, num_simulations=1
            )
            expected = np.log(past.multiplier(swings.as_of(start), asked))
            assert np.abs(expected).max() > 0.001
            np.testing.assert_allclose(values[start], expected, atol=1e-5)


def test_nothing_of_what_comes_later_is_told(swings: Market, plain: Dataset, past: Informed) -> None:
    rng, before = np.random.default_rng(5), told(with_inputs(plain, past, swings), "BTC")
    other = {}
    for (asset, step), bars in swings.items():
        later = bars.observed > MIDDLE
        by = np.where(later, np.exp(0.01 * np.cumsum(rng.standard_normal(len(bars)) * later)), 1.0)
        prices = (by * values for values in (bars.open, bars.high, bars.low, bars.close))
        other[asset, step] = Bars(bars.time, *prices, bars.volume, step)
    after = told(with_inputs(windows(Market(other)), past, Market(other)), "BTC")
    shared = before.keys() & after.keys()
    early, late = ([start for start in shared if (start <= MIDDLE) is is_early] for is_early in (True, False))
    assert len(early) > 50
    assert all(np.array_equal(before[start], after[start]) for start in early)
    assert not any(np.array_equal(before[start], after[start]) for start in late if start > MIDDLE + HOUR)


def test_windows_are_thinned_alike_for_all_assets_and_lose_no_minute_of_the_hour(
    swings: Market, plain: Dataset, past: Informed
) -> None:
    found = with_inputs(plain, past, swings)
    starts = {asset: found.tables[asset].time[found.train[asset]] for asset in ASSETS}
    assert np.array_equal(starts["BTC"], starts["ETH"])
    assert 60 < len(starts["BTC"]) < len(plain.train["BTC"]) / 5
    assert set((starts["BTC"] % HOUR // STEP).tolist()) == set(range(12))
    for asset in ASSETS:
        assert set(found.train[asset]) < set(plain.train[asset])
        assert np.array_equal(found.validation[asset], plain.validation[asset])


def test_a_text_says_the_same_of_all_windows_as_of_one(swings: Market, plain: Dataset) -> None:
    try:
        check_isolation()
    except NotIsolated as error:
        pytest.skip(str(error))
    found = with_inputs(plain, by_hand(Kept.of("seven-hours-0a1b2c", Origin(source=WAVE))), swings)
    for start, values in told(found, "BTC").items():
        ends = start + STEP * np.arange(1, STEPS + 1)
        assert np.allclose(values, np.cos(2 * np.pi * ends / (7 * 3600)) - np.log(2.0), atol=1e-5)
    assert not any(values.any() for values in told(found, "ETH").values()), "nothing was learned of it"


def test_where_nothing_is_known_yet_no_window_is_left(swings: Market, plain: Dataset, past: Informed) -> None:
    late = {key: bars.slice(int(np.searchsorted(bars.observed, MIDDLE)), len(bars)) for key, bars in swings.items()}
    with pytest.raises(DataError, match="no window of BTC begins where something is known"):
        with_inputs(plain, past, Market(late))
