from __future__ import annotations

import pytest

from synthcity.errors import ConfigError
from synthcity.market.simulated import SimulatedConfig


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"days": 0}, "days must be at least 1, got 0"),
        ({"days": 10**9}, "days must be at most 36500"),
        ({"jump_size": 1e300}, "jump_size must be at most 1000"),
        ({"days": 1.5}, "days must be a whole number"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"seed": True}, "seed must be a whole number"),
        ({"degrees_of_freedom": 2.0}, r"degrees_of_freedom must be at least 2\.1"),
        ({"fast_spread": float("nan")}, "fast_spread must be a finite number"),
        ({"jump_size": "big"}, "jump_size must be a number"),
        ({"fast_half_life_hours": 0.0}, "fast_half_life_hours"),
        ({"start": "2025-01-01T12:00"}, "start must be a date"),
        ({"start": "soon"}, "'soon' is no time"),
    ],
)
def test_nonsense_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        SimulatedConfig(**changes)


def test_span():
    config = SimulatedConfig(start="2025-01-01", days=2)
    assert (config.epoch, config.end) == (1_735_689_600, 1_735_689_600 + 2 * 86400)
