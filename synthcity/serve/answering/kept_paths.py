"""The paths of an answer as a file: half of their size, and to the last bit what the network got.

Neighbours of a path differ little, so that the differences of their bits, taken as whole numbers, have many leading
zeros; byte by byte, those compress well. Files of earlier versions are NumPy's own.
"""

from __future__ import annotations

import io
from pathlib import PurePath

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SUFFIX = ".zst"
_CODEC = "zstd"


def pack(paths: NDArray[np.float32]) -> bytes:
    """Return the content of a file with ``paths`` (num_simulations, num_steps + 1)."""
    bits = np.ascontiguousarray(paths).view(np.int32)
    steps = np.diff(bits, axis=1, prepend=np.int32(0))
    unsigned = ((steps << 1) ^ (steps >> 31)).view(np.uint8).reshape(-1, 4)  # small numbers of either sign
    content: bytes = pa.compress(np.ascontiguousarray(unsigned.T).tobytes(), _CODEC, asbytes=True)
    return content


def unpack(content: bytes, name: str, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return the paths of a file called ``name``.

    Raises:
        ValueError: it does not hold paths of this shape.
    """
    if PurePath(name).suffix != SUFFIX:
        found: NDArray[np.float32] = np.load(io.BytesIO(content), allow_pickle=False)
        return found
    size = 4 * shape[0] * shape[1]
    try:
        raw = pa.decompress(content, size, _CODEC, asbytes=True)
    except (OSError, pa.ArrowException) as error:
        raise ValueError(f"no {size} bytes of paths ({error})") from error
    unsigned = np.ascontiguousarray(np.frombuffer(raw, np.uint8).reshape(4, -1).T).view(np.uint32).reshape(shape)
    steps = (unsigned >> 1).view(np.int32) ^ -(unsigned & 1).view(np.int32)
    bits: NDArray[np.int32] = np.cumsum(steps, axis=1, dtype=np.int32)
    return bits.view(np.float32)
