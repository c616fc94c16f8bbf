from __future__ import annotations

import numpy as np

from synthcity.forecast.baselines.profile import ProfileConfig, slot_of, slot_share, volatility_profile
from synthcity.forecast.baselines.returns import Returns

MONDAY = 1_748_822_400  # 2025-06-02 00:00 UTC
DAY = 86400
NONE = {"closed_move": np.zeros(0), "closed_steps": np.zeros(0, dtype=np.int64)}


def _returns(days: int = 56, keep: slice = slice(None), **gaps: np.ndarray) -> Returns:
    """Absolute size 3 in the 72 slots after noon, else 1; week-ends half of it."""
    observed = MONDAY + 300 * np.arange(1, days * 288 + 1)
    start = observed - 300
    size = np.where((start % DAY >= DAY // 2) & (start % DAY < 3 * DAY // 4), 3.0, 1.0)
    size *= np.where((start // DAY + 3) % 7 >= 5, 0.5, 1.0)
    sign = np.random.default_rng(0).choice([-1.0, 1.0], len(size))
    return Returns(value=(sign * size)[keep], observed=observed[keep], **{**NONE, **gaps})


def test_slots_are_named_by_their_end() -> None:
    times = np.array([MONDAY + 300, MONDAY + 1, MONDAY + 301, MONDAY + 5 * DAY, MONDAY + 5 * DAY + 300, MONDAY])
    # the step that ends on Saturday at midnight is Friday's, the one that ends on Monday at midnight Sunday's
    np.testing.assert_array_equal(slot_of(times), [1, 1, 2, 0, 289, 288])


def test_finds_a_planted_profile() -> None:
    config = ProfileConfig(cap_quantile=1.0, smooth_slots=0, shrinkage=0.0)
    returns = _returns()
    profile = volatility_profile(returns, config)
    mean = np.abs(returns.value).mean()
    np.testing.assert_allclose(profile[slot_of(returns.observed)], np.abs(returns.value) / mean)


def test_smooths_round_midnight_and_shrinks_to_one() -> None:
    config = ProfileConfig(cap_quantile=1.0, smooth_slots=6, shrinkage=0.1)
    profile = volatility_profile(_returns(), config)
    sharp = volatility_profile(_returns(), ProfileConfig(cap_quantile=1.0, smooth_slots=0, shrinkage=0.0))
    assert abs(profile[100] - (0.9 * sharp[100] + 0.1)) < 1e-12
    assert abs(profile[145] - (0.9 * (7 * sharp[150] + 6 * sharp[100]) / 13 + 0.1)) < 0.1
    assert (np.diff(profile[139:151]) >= -1e-12).all()
    np.testing.assert_allclose(profile[:3], profile[285:288])


def test_one_wild_return_is_capped() -> None:
    returns = _returns()
    wild = returns.value.copy()
    wild[1000] = 1e6
    capped = volatility_profile(
        Returns(value=wild, observed=returns.observed, **NONE), ProfileConfig(cap_quantile=0.995)
    )
    np.testing.assert_allclose(capped, volatility_profile(returns, ProfileConfig()), rtol=0.05)


def test_a_slot_never_seen_takes_what_moves_across_gaps_imply() -> None:
    returns = _returns(days=5)
    seen = (returns.observed - 1) % DAY >= DAY // 2
    gap = {"closed_move": np.full(4, 2.4), "closed_steps": np.full(4, 144)}  # 0.2 a slot
    config = ProfileConfig(cap_quantile=1.0, smooth_slots=0, shrinkage=0.0)
    profile = volatility_profile(_returns(days=5, keep=seen, **gap), config)
    np.testing.assert_allclose(profile[1:145], 0.2 / 2.0)
    np.testing.assert_allclose(profile[146:215], 3.0 / 2.0)


def test_a_week_end_never_seen_takes_the_weekdays_profile() -> None:
    profile = volatility_profile(_returns(days=4), ProfileConfig())
    np.testing.assert_allclose(profile[288:], profile[:288])


def test_a_share_by_slot_is_smoothed_alike() -> None:
    observed = MONDAY + 300 * np.arange(1, 14 * 288 + 1)
    flags = (observed // 300) % 288 == 100
    share = slot_share(slot_of(observed), flags, ProfileConfig(smooth_slots=2)).reshape(2, 288)
    np.testing.assert_allclose(share[:, 98:103], 0.2)
    assert not share[:, 103:].any()
    assert not slot_share(slot_of(observed[:3]), flags[:3], ProfileConfig()).any()
