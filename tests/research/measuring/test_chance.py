"""Levels hold where nothing is, and what is planted is above them."""

from __future__ import annotations

import numpy as np
import pytest

from synthcity.research.measuring import chance


def shared_shocks(rng: np.random.Generator, groups: int, blocks: int) -> np.ndarray:
    """Sums of 100 steps by group and block, which all groups of a block share for the greater part."""
    return np.asarray(100 * rng.standard_normal(blocks) + 10 * rng.standard_normal((groups, blocks)))


def test_the_largest_z_of_nothing_is_above_its_level_about_once_in_twenty() -> None:
    rng, counts = np.random.default_rng(0), np.full((24, 40), 100.0)
    above = 0
    for seed in range(200):
        z, level = chance.by_flips(shared_shocks(rng, 24, 40), counts, seed=seed)
        above += int(np.abs(z).max() > level)
    assert 2 <= above <= 20


def test_a_group_that_differs_is_above_and_one_of_few_days_is_not_told() -> None:
    sums, counts = shared_shocks(np.random.default_rng(1), 24, 40), np.full((24, 40), 100.0)
    sums[3] += 20
    sums[5, 7:], counts[5, 7:] = 0, 0
    z, level = chance.by_flips(sums, counts)
    assert np.nanargmax(np.abs(z)) == 3
    assert z[3] > 1.5 * level
    assert np.isnan(z[5])
    none, level = chance.by_flips(sums[:, :7], counts[:, :7])
    assert np.isnan(none).all()
    assert chance.told(level, 1) == "chance: too few days to tell"


def test_series_with_memory_are_above_the_level_of_turns_about_once_in_twenty() -> None:
    rng, above = np.random.default_rng(2), 0
    for _ in range(200):
        left, right = (np.convolve(rng.standard_normal(2000), 0.9 ** np.arange(60), "same") for _ in range(2))
        values = chance.turned(left, right)
        above += int(np.abs(values[:25]).max() > chance.by_turns(values, 24, range(25)))
    assert 2 <= above <= 22


def test_a_turn_is_a_sum_of_products() -> None:
    left, right = np.random.default_rng(3).standard_normal((2, 50))
    for by in (0, 7):
        assert chance.turned(left, right)[by] == pytest.approx(left @ np.roll(right, by))


def test_turns_are_of_whole_days_and_never_near() -> None:
    apart = chance.days_apart(24 * 30, 24, 48)
    assert set(apart % 24) == {0}
    assert (apart[0], apart[-1] + 48) == (72, 24 * 27)
    assert np.isinf(chance.by_turns(np.zeros(24 * 10), 24, [0, 48]))


def test_the_highest_peak_of_noise_is_above_its_level_about_once_in_twenty() -> None:
    rng, above = np.random.default_rng(4), 0
    for _ in range(200):
        power = np.abs(np.fft.rfft(rng.standard_normal(1000), 4000))[1:]
        above += int(power.max() / np.median(power) > chance.of_peaks(500))
    assert 2 <= above <= 20
