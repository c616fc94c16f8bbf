from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthcity.seeds import hash_seed, mix_seed, split_seed


@pytest.mark.parametrize(
    ("numbers", "seed"),
    [
        ((0, 0), 43108984336487),
        ((5, 3), 34225048959544),
        ((123456789, -251), 1339089512610),
        ((2**32 - 1, 10**6), 8437333121198),
        ((7, 9, 1), 138107476982625),
    ],
)
def test_the_noise_of_a_step_is_the_same_in_every_python(numbers: tuple[int, ...], seed: int) -> None:
    assert mix_seed(*numbers) == seed


@given(st.lists(st.integers(-(2**63), 2**63), min_size=1, max_size=4))
def test_a_mixed_seed_is_what_trainings_have_had_so_far(numbers: list[int]) -> None:
    assert mix_seed(*numbers) == hash(tuple(numbers)) & 0x7FFF_FFFF_FFFF  # of CPython 3.8 to 3.14


def test_a_hashed_seed_is_fixed_and_tells_its_parts_apart() -> None:
    assert hash_seed(0, "BTC", 1_750_000_000) == 2957806071262101328
    assert len({hash_seed(seed, asset, 0) for seed in range(9) for asset in ("BTC", "ETH")}) == 18


def test_a_split_seed_is_fixed_and_its_parts_differ() -> None:
    assert split_seed([3, 7], 1, bits=32) == [2580024465]
    assert split_seed(5, 2) == [12631478326263854183, 4464650224815488352]
    assert len(set(split_seed(None, 5))) == 5
