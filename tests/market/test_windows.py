"""Features are causal, the live tail equals the training table, and gaps stay gaps."""

import numpy as np
import pytest

from synthcity.errors import DataError
from synthcity.market.bars import Bars
from synthcity.market.columns import bars_of_closes
from synthcity.market.windows import FeatureTable, WindowSpec

SPEC = WindowSpec.of(300, 288)


def walk(days: float, seed: int = 0, resolution: int = 300) -> Bars:
    rng = np.random.default_rng(seed)
    n = int(days * 86400 / resolution)
    time = 1_735_689_600 + resolution * np.arange(n, dtype=np.int64)
    steps = rng.normal(0, 1e-3, n) * (1 + 0.5 * np.sin(2 * np.pi * time / 86400))
    close = 100 * np.exp(np.cumsum(steps))
    return Bars(time, close, close * 1.001, close * 0.999, close, np.ones(n), resolution)


def same(a: FeatureTable, b: FeatureTable) -> None:
    for name in ("time", "price", "returns", "anchor", "sequence", "context", "future"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-4, atol=1e-5, err_msg=name)


def drop(bars: Bars, keep: np.ndarray) -> Bars:
    names = ("time", "open", "high", "low", "close", "volume")
    return Bars(*(getattr(bars, name)[keep] for name in names), resolution=bars.resolution)


def test_the_tail_that_a_live_prompt_builds_equals_the_table_of_training():
    bars = walk(SPEC.lookback / 288 + 10)
    full = FeatureTable.build(bars, SPEC)
    tail = FeatureTable.build(bars.slice(len(bars) - SPEC.lookback, len(bars)), SPEC, rows=600)
    assert len(tail) == 600
    kept = FeatureTable(
        *(getattr(full, name)[-600:] for name in ("time", "price", "returns", "anchor", "sequence", "context")),
        future=full.future[-600 - SPEC.horizon :],
    )
    same(tail, kept)


def test_no_row_of_a_window_knows_prices_after_its_start():
    bars = walk(40)
    start = len(bars) - 400
    wild = np.where(np.arange(len(bars)) > start, 3.0, 1.0)
    changed = Bars(
        *(a * wild for a in (bars.time / wild, bars.open, bars.high, bars.low, bars.close)), bars.volume, 300
    )
    changed = Bars(bars.time, changed.open, changed.high, changed.low, changed.close, changed.volume, 300)
    before, after = FeatureTable.build(bars, SPEC), FeatureTable.build(changed, SPEC)
    for name in ("anchor", "sequence", "context"):
        np.testing.assert_array_equal(
            getattr(before, name)[: start + 1], getattr(after, name)[: start + 1], err_msg=name
        )
    ahead = slice(0, start + 1 + SPEC.horizon)
    np.testing.assert_array_equal(before.future[ahead], after.future[ahead])
    assert not np.array_equal(before.context[start + 1 :], after.context[start + 1 :])


def test_gaps_stay_gaps_and_do_not_lower_volatility():
    bars = walk(20)
    keep = np.arange(len(bars)) % 288 < 200
    table = FeatureTable.build(drop(bars, keep), SPEC)
    assert np.isnan(table.price).sum() == len(table) - keep.sum()
    assert np.isfinite(table.context).all()
    full = FeatureTable.build(bars, SPEC)
    assert table.anchor[-1] == pytest.approx(full.anchor[len(table) - 1], rel=0.15)


def test_until_extends_the_grid_to_the_prompt_without_inventing_prices():
    bars = walk(9)
    last = int(bars.observed[-1])
    table = FeatureTable.build(bars, SPEC, until=last + 750)
    assert table.time[-1] == last + 600
    assert np.isnan(table.price[-2:]).all()
    assert np.isfinite(table.anchor[-1])


def test_slot_volatility_finds_the_daily_season():
    table = FeatureTable.build(walk(60), SPEC)
    slot = table.future[-288:, SPEC.future_names.index("slot_28d")]
    truth = np.log(1e-3 * (1 + 0.5 * np.sin(2 * np.pi * (table.time[-1] + 300 * np.arange(288)) / 86400)))
    assert np.corrcoef(slot, truth)[0, 1] > 0.95
    assert np.abs(slot - truth).mean() < 0.12


def test_wrong_resolution_and_empty_bars_are_refused():
    with pytest.raises(DataError, match="need 300-second bars, got 60-second bars"):
        FeatureTable.build(walk(1, resolution=60), SPEC)
    with pytest.raises(DataError, match="at least one bar"):
        FeatureTable.build(walk(1).slice(0, 0), SPEC)


def test_one_hour_spec_uses_minutes():
    spec = WindowSpec.of(60, 60)
    table = FeatureTable.build(walk(9, resolution=60), spec)
    assert table.context.shape == (len(table), spec.num_context)
    assert table.future.shape == (len(table) + 60, len(spec.future_names))


def test_without_ranges_bars_and_mere_closes_give_the_same_features():
    bars, spec = walk(40), WindowSpec.of(300, 288, ranges=False)
    closes = bars_of_closes(bars.time, bars.close, 300)
    table = FeatureTable.build(bars, spec)
    same(table, FeatureTable.build(closes, spec))
    assert table.context.shape[1] == spec.num_context == SPEC.num_context - len(SPEC.range_scales)
    assert np.isnan(table.sequence[:, 1]).all()
    with_ranges = FeatureTable.build(bars, SPEC)
    np.testing.assert_array_equal(table.sequence[:, [0, 2]], with_ranges.sequence[:, [0, 2]])
    np.testing.assert_array_equal(table.future, with_ranges.future)


MINUTES = WindowSpec.of(60, 60)


@pytest.mark.parametrize("spec", [SPEC, MINUTES], ids=["fives", "minutes"])
def test_bursts_are_told_for_the_minutes_that_are_scored(spec):
    """A walk with three times the volatility in the first minute, or five, of every hour."""
    bars = walk(spec.burst_days + 5, resolution=spec.increment)
    moves = np.diff(np.log(bars.close), prepend=np.log(100.0)) * np.where(bars.time % 3600 == 0, 3.0, 1.0)
    close = 100 * np.exp(np.cumsum(moves))
    bars = Bars(bars.time, close, close * 1.001, close * 0.999, close, bars.volume, spec.increment)
    table = FeatureTable.build(bars, spec, rows=spec.steps_per_day)
    later = FeatureTable.build(bars, spec, rows=spec.steps_per_day, shift=180)
    told, shifted = (np.exp(each.future[-spec.horizon - 720 :, -1]) for each in (table, later))
    ends = table.time[0] + spec.increment * np.arange(len(table.future))[-spec.horizon - 720 :]
    marked = (ends - spec.increment) % 3600 == 0
    assert told[marked].min() > 1.5 * told[~marked].max()
    if spec is MINUTES:
        np.testing.assert_allclose(shifted[:-3], told[3:], rtol=1e-6)
    else:  # two of the five minutes before the hour's mark, and three of those after it
        assert shifted[marked].mean() < 0.85 * told[marked].mean()
        assert shifted[np.roll(marked, -1)].mean() > 1.1 * told[np.roll(marked, -1)].mean()
    np.testing.assert_array_equal(table.future[:, :-1], later.future[:, :-1])


def test_the_live_tail_of_minutes_equals_the_table_of_training():
    bars = walk(MINUTES.lookback / 1440 + 3, resolution=60)
    full = FeatureTable.build(bars, MINUTES)
    tail = FeatureTable.build(bars.slice(len(bars) - MINUTES.lookback, len(bars)), MINUTES, rows=300)
    np.testing.assert_allclose(tail.future, full.future[-300 - MINUTES.horizon :], rtol=1e-4, atol=1e-5)


def test_a_network_of_before_is_told_no_bursts():
    old, bars = WindowSpec.of(300, 288, bursts=False), walk(20)
    assert old.future_names == SPEC.future_names[:-1]
    table, now = FeatureTable.build(bars, old), FeatureTable.build(bars, SPEC)
    np.testing.assert_array_equal(table.future, now.future[:, :-1])
    np.testing.assert_array_equal(table.context, now.context)


@pytest.mark.parametrize("what", ["short", "still", "gappy"])
def test_bursts_are_finite_whatever_the_past(what):
    bars = walk(4)
    if what == "short":
        bars = bars.slice(0, 40)
    elif what == "still":
        bars = Bars(bars.time, *(np.full(len(bars), 100.0) for _ in range(4)), bars.volume, 300)
    else:
        bars = drop(bars, np.random.default_rng(0).random(len(bars)) > 0.2)
    told = FeatureTable.build(bars, SPEC).future[:, -1]
    assert np.isfinite(told).all()
    assert np.abs(told).max() < 0.1, "nothing is known, so nothing is expected"


def test_the_calendar_is_told_for_the_minutes_that_are_scored_and_nothing_else_changes():
    bars, spec = walk(20), WindowSpec.of(300, 288, calendar=True)
    release = int(bars.time[-1]) // 300 * 300 + 6 * 3600

    def expected(minutes):
        return np.where((minutes >= release) & (minutes < release + 300), 4.0, 1.0)

    plain, nothing = FeatureTable.build(bars, SPEC), FeatureTable.build(bars, spec)
    told, shifted = (FeatureTable.build(bars, spec, expected=expected, shift=shift) for shift in (0, 120))
    assert spec.future_names == (*SPEC.future_names, "calendar")
    assert spec.effect_names == ("bursts", "calendar")
    np.testing.assert_array_equal(plain.future, nothing.future[:, :-1])
    assert (nothing.future[:, -1] == 0).all()
    np.testing.assert_array_equal(told.future[:, :-1], nothing.future[:, :-1])
    np.testing.assert_array_equal(told.context, plain.context)
    at = (release + 300 - told.time[0]) // 300
    assert told.future[at, -1] == pytest.approx(np.log(4.0))
    assert np.count_nonzero(told.future[:, -1]) == 1
    variances = np.array([2 * 16 + 3, 3 * 16 + 2]) / 5
    np.testing.assert_allclose(shifted.future[at - 1 : at + 1, -1], np.log(variances) / 2, rtol=1e-6)
