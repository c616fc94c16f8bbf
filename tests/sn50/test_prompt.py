from __future__ import annotations

import numpy as np
import pytest

from synthcity.sn50.prompt import Prompt


def test_the_grid_begins_with_the_start_time() -> None:
    prompt = Prompt(asset="BTC", start_time=1_000_000, time_increment=300, time_length=900)
    assert prompt.num_steps == 3
    np.testing.assert_array_equal(prompt.grid, [1_000_000, 1_000_300, 1_000_600, 1_000_900])


@pytest.mark.parametrize("field", ["time_increment", "time_length", "num_simulations"])
def test_sizes_are_positive(field: str) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Prompt(asset="BTC", start_time=0, **{field: 0})


def test_the_length_is_a_whole_number_of_steps() -> None:
    with pytest.raises(ValueError, match="time_length 100 is no multiple of 60"):
        Prompt(asset="BTC", start_time=0, time_length=100, time_increment=60)
