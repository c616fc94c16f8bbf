import numpy as np
import pytest

from synthcity.market.bars import Floats, Times
from synthcity.market.calendar.minutes import minutes_of, over_steps

NOON = 1_740_830_400  # 2025-03-01 12:00 UTC
GRID = NOON + 300 * np.arange(1, 13, dtype=np.int64)


def burst(minutes: Times) -> Floats:
    """Three times the usual volatility in the first minute of an hour."""
    return np.where(minutes % 3600 == 0, 3.0, 1.0)


def test_a_step_holds_the_minutes_before_its_end() -> None:
    assert minutes_of(np.array([NOON + 300]), 300).tolist() == [[NOON + 60 * k for k in range(5)]]
    assert minutes_of(np.array([NOON]), 60).tolist() == [[NOON - 60]]
    assert minutes_of(np.array([NOON]), 10).tolist() == [[NOON - 60]], "the minute in which it ends"


def test_variances_add_up_and_not_volatilities() -> None:
    found = over_steps(GRID, 300, burst)
    assert found[0] == pytest.approx(np.sqrt((9 + 4) / 5))
    assert found[1:] == pytest.approx(1.0)
    assert over_steps(GRID, 3600, burst)[-1] == pytest.approx(np.sqrt((9 + 59) / 60))


def test_a_prompt_at_three_minutes_past_gets_other_steps_than_one_at_the_hour() -> None:
    late = over_steps(GRID + 180, 300, burst)
    assert late[:11] == pytest.approx(1.0), "12:03 to 12:58"
    assert late[11] == pytest.approx(np.sqrt((9 + 4) / 5)), "12:58 to 13:03 holds 13:00"


def test_effects_multiply_minute_by_minute() -> None:
    quiet = lambda minutes: np.where(minutes < NOON + 120, 0.5, 1.0)  # noqa: E731
    found = over_steps(GRID, 300, burst, quiet)
    assert found[0] == pytest.approx(np.sqrt((1.5**2 + 0.5**2 + 3) / 5))
    assert over_steps(GRID, 300).tolist() == [1.0] * len(GRID)


def test_no_step_is_no_multiplier() -> None:
    assert over_steps(GRID[:0], 300, burst).shape == (0,)
