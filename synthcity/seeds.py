"""Seeds out of seeds: how the one seed of a run becomes those of its parts.

Every figure of a run hangs on these functions, so each is fixed by its own arithmetic or by a published algorithm, for
all versions of Python and NumPy; nothing else in the project derives a seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

_WORD = 2**64 - 1
_LARGEST = 2**61 - 1  # whole numbers are taken modulo this prime
_PRIME_1, _PRIME_2, _PRIME_5 = 11400714785074694791, 14029467366897019727, 2870177450012600261
_BITS = 47  # of a mixed seed


def split_seed(seed: int | Sequence[int] | None, count: int, *, bits: int = 64) -> list[int]:
    """Return ``count`` independent seeds of 32 or 64 bits, by NumPy's ``SeedSequence``; None draws from the system."""
    return [int(own) for own in np.random.SeedSequence(seed).generate_state(count, "u4" if bits == 32 else "u8")]


def hash_seed(*parts: int | str) -> int:
    """Return a 63-bit seed of numbers and names, by BLAKE2b of their text."""
    text = "|".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1


def mix_seed(*numbers: int) -> int:
    """Return a 47-bit seed of whole numbers, by the variant of xxHash64 that CPython hashes tuples with since 3.8.

    Cheap enough for every step of a training; ``hash(tuple)`` would give the same, but promises nothing.
    """
    mixed = _PRIME_5
    for number in numbers:
        lane = abs(number) % _LARGEST * (-1 if number < 0 else 1)
        mixed = mixed + (-2 if lane == -1 else lane) * _PRIME_2 & _WORD
        mixed = (mixed << 31 | mixed >> 33) * _PRIME_1 & _WORD
    return mixed + (len(numbers) ^ _PRIME_5 ^ 3527539) & (1 << _BITS) - 1
