"""Calibration histograms and fan charts against laws whose answer is known."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthcity.forecast.evaluation.diagnostics import (
    ALL,
    NUM_BINS,
    QUANTILES,
    Diagnostics,
    level_horizons,
    pit_counts,
    pit_horizons,
)
from synthcity.forecast.evaluation.interval import MIN_BLOCKS
from synthcity.sn50.prompt import Prompt

DAY = 86400
HORIZONS = (300, 1800)


def prompt(day: int, asset: str = "BTC") -> Prompt:
    return Prompt(asset=asset, start_time=day * DAY, time_length=7200, num_simulations=200)


def walks(rng: np.random.Generator, count: int, scale: float = 1e-3) -> np.ndarray:
    steps = rng.normal(0.0, scale, (count, 24))
    return 100.0 * np.exp(np.hstack([np.zeros((count, 1)), np.cumsum(steps, axis=1)]))


def collected(days: range, *, width: float = 1.0, assets: tuple[str, ...] = ("BTC",)) -> Diagnostics:
    """Forecasts that are ``width`` times as wide as the truth."""
    diagnostics = Diagnostics(HORIZONS)
    for day, asset in itertools.product(days, assets):
        rng = np.random.default_rng([day, len(asset)])
        diagnostics.add(prompt(day, asset), walks(rng, 200, 1e-3 * width), walks(rng, 1)[0])
    return diagnostics


def test_calibrated_forecast_is_flat_within_its_band():
    rows = collected(range(60)).result()["pit"]
    for row in rows:
        assert np.mean(row["density"]) == pytest.approx(1.0, abs=1e-4)
        inside = [low <= 1.0 <= high for low, high in zip(row["low"], row["high"], strict=True)]
        assert np.mean(inside) >= 0.75
    assert [row["count"] for row in rows] == [60 * 24, 60 * 4]


@pytest.mark.parametrize(("width", "edge_is_high"), [(0.5, True), (2.0, False)])
def test_wrong_width_shows_at_the_edges(width, edge_is_high):
    row = collected(range(60), width=width).result()["pit"][0]
    if edge_is_high:
        assert min(row["low"][0], row["low"][-1]) > 1.5
    else:
        assert max(row["high"][0], row["high"][-1]) < 0.7


@given(st.integers(0, 20), st.integers(0, 20))
def test_pit_mass_of_one_change_lies_where_its_rank_is(below, equal):
    """One change with ``below`` smaller and ``equal`` tied members among 40."""
    changes = np.array([-0.01] * below + [0.0] * equal + [0.01] * (40 - below - equal))
    paths = np.stack([np.ones(40), 1.0 + changes], axis=1)
    counts = pit_counts(paths, np.array([1.0, 1.0]), 1)
    low, high = below / 41, (below + equal + 1) / 41
    edges = np.linspace(0, 1, NUM_BINS + 1)
    expected = np.diff(np.clip((edges - low) / (high - low), 0, 1))
    np.testing.assert_allclose(counts, expected, atol=1e-12)
    assert counts.sum() == pytest.approx(1.0)


def test_all_ranks_together_are_exactly_uniform():
    paths = np.stack([np.ones(9), 1.0 + 0.01 * np.arange(1, 10)], axis=1)
    total = sum(pit_counts(paths, np.array([1.0, 1.005 + 0.01 * rank]), 1) for rank in range(10))
    np.testing.assert_allclose(total, 10 / NUM_BINS)


def test_changes_that_touch_a_missing_price_are_skipped():
    rng = np.random.default_rng(0)
    realised = walks(rng, 1)[0]
    realised[7] = np.nan
    assert pit_counts(walks(rng, 50), realised, 1).sum() == pytest.approx(22)
    assert pit_counts(walks(rng, 50), realised, 6).sum() == pytest.approx(4)  # 7 is no point of that grid


def test_merged_parts_equal_one_collection_in_any_order():
    whole = collected(range(9), assets=("BTC", "HYPE")).result()
    first, second = (
        collected(range(4), assets=("BTC", "HYPE")),
        collected(range(4, 9), assets=("BTC", "HYPE")),
    )
    second.merge(first)
    assert second.result() == whole
    assert {row["asset"] for row in whole["pit"]} == {ALL, "BTC", "HYPE"}
    assert whole["num_prompts"] == 18


def test_few_blocks_have_no_band():
    row = collected(range(2 * MIN_BLOCKS - 2)).result()["pit"][0]
    assert len(row["density"]) == 10  # few changes too
    assert (row["low"], row["high"]) == ([], [])


def test_a_day_without_a_known_change_is_no_block():
    known, unknown = collected(range(20)), collected(range(20))
    for day in range(20, 30):
        realised = np.full(25, np.nan)
        unknown.add(prompt(day), walks(np.random.default_rng(day), 200), realised)
    assert unknown.result()["pit"] == known.result()["pit"]


def test_result_is_plain_json_and_keeps_gaps_as_null():
    diagnostics = Diagnostics(HORIZONS)
    rng = np.random.default_rng(1)
    realised = walks(rng, 1)[0]
    realised[3] = np.nan
    diagnostics.add(prompt(0), walks(rng, 200), realised)
    fan = json.loads(json.dumps(diagnostics.result(), allow_nan=False))["fans"][0]
    assert fan["realised"][3] is None
    assert fan["realised"][4] == pytest.approx(realised[4], rel=1e-6)


def test_fans_show_a_calm_a_median_and_a_stormy_prompt():
    diagnostics = Diagnostics(HORIZONS)
    for day in range(11):
        rng = np.random.default_rng(day)
        realised = 100.0 + 1e-3 * (1 + day) * (np.arange(25) % 2)
        diagnostics.add(prompt(day), walks(rng, 200), realised)
    fans = {fan["kind"]: fan for fan in diagnostics.result()["fans"]}
    assert [fans[kind]["start_time"] // DAY for kind in ("calm", "median", "stormy")] == [1, 5, 9]
    rows = np.array([fans["calm"]["quantiles"][str(q)] for q in QUANTILES])
    assert (np.diff(rows, axis=0) >= 0).all()
    paths = walks(np.random.default_rng(1), 200)
    np.testing.assert_allclose(rows[3], np.median(paths, axis=0), rtol=1e-6)


def test_a_single_prompt_is_shown_once():
    assert len(collected(range(1)).result()["fans"]) == 1


def test_horizons_follow_the_competition():
    assert pit_horizons(86400) == (300, 1800, 10800)
    assert pit_horizons(3600) == (60, 300, 1800)
    assert level_horizons(86400) == (3600, 21600, 86400)
    assert level_horizons(3600) == (300, 1200, 3600)


def test_the_price_itself_counts_once_a_prompt_and_few_prompts_have_few_bins():
    diagnostics = Diagnostics(HORIZONS, levels=(3600, 7200))
    for day in range(120):
        rng = np.random.default_rng(day)
        shift = 1 + 1e-2 * (np.arange(25) > 12)  # from the second hour on a percent above what is forecast
        diagnostics.add(prompt(day), walks(rng, 200), walks(rng, 1)[0] * shift)
    first, second = diagnostics.result()["levels"]
    assert [(row["horizon"], row["count"], len(row["density"])) for row in (first, second)] == [
        (3600, 120, 10),
        (7200, 120, 10),
    ]
    assert max(first["density"]) < 2
    assert second["density"][-1] > 5
    assert second["low"][-1] > 5
    few = Diagnostics(HORIZONS, levels=(7200,))
    few.add(prompt(0), walks(np.random.default_rng(0), 200), walks(np.random.default_rng(1), 1)[0])
    assert len(few.result()["levels"][0]["density"]) == 5


def test_a_rival_is_shown_on_the_same_prompts_and_never_left_out():
    ours, mixed = Diagnostics(HORIZONS, rival="fhs"), Diagnostics(HORIZONS, rival="har")
    paths, other = walks(np.random.default_rng(0), 200), walks(np.random.default_rng(1), 100)
    with pytest.raises(ValueError, match="the rival is fhs, and its paths are missing"):
        ours.add(prompt(0), paths, paths[0])
    ours.add(prompt(0), paths, paths[0], other)
    told = ours.result()
    assert told["rival"] == "fhs"
    [fan] = told["fans"]
    np.testing.assert_allclose(fan["rival"]["0.95"], np.quantile(other, 0.95, axis=0), rtol=1e-6)
    np.testing.assert_allclose(fan["quantiles"]["0.95"], np.quantile(paths, 0.95, axis=0), rtol=1e-6)
    with pytest.raises(ValueError, match="rivals differ"):
        ours.merge(mixed)


def test_misuse_is_refused():
    diagnostics = collected(range(2))
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="added before"):
        diagnostics.add(prompt(1), walks(rng, 200), walks(rng, 1)[0])
    with pytest.raises(ValueError, match="do not have 25 points"):
        diagnostics.add(prompt(3), walks(rng, 200)[:, :-1], walks(rng, 1)[0])
    with pytest.raises(ValueError, match="in both parts"):
        diagnostics.merge(collected(range(1, 3)))
    with pytest.raises(ValueError, match="differ"):
        diagnostics.merge(Diagnostics((60,)))
    with pytest.raises(ValueError, match="does not fit the grid"):
        Diagnostics((400,)).add(prompt(0), walks(rng, 200), walks(rng, 1)[0])
