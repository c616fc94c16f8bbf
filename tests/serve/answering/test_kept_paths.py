"""Half of the size, and every bit of it comes back."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synthcity.serve.answering.kept_paths import pack, unpack
from synthcity.sn50.submission import round_paths


@given(
    arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 9)), elements=st.floats(width=32, allow_nan=False))
)
def test_every_bit_comes_back(paths: np.ndarray):
    np.testing.assert_array_equal(unpack(pack(paths), "a.zst", paths.shape).view(np.int32), paths.view(np.int32))


@pytest.mark.parametrize("price", [86_000.0, 2.1, 0.0004])
def test_answers_take_half(price: float):
    steps = np.random.default_rng(0).normal(scale=8e-4, size=(200, 289))
    paths = round_paths(price * np.exp(np.cumsum(steps, axis=1))).astype(np.float32)
    assert len(pack(paths)) < 0.55 * paths.nbytes


def test_files_of_earlier_versions_are_read():
    paths, file = np.ones((2, 3), np.float32), io.BytesIO()
    np.save(file, paths)
    np.testing.assert_array_equal(unpack(file.getvalue(), "a.npy", (2, 3)), paths)


@pytest.mark.parametrize("content", [b"", b"nonsense", pack(np.ones((2, 4), np.float32))[:-3]])
def test_what_holds_no_paths_is_refused(content: bytes):
    with pytest.raises(ValueError, match="no 32 bytes of paths"):
        unpack(content, "a.zst", (2, 4))
