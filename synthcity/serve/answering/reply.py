"""From paths to the bytes of an answer: rounding, JSON, and gzip where it is worth its time."""

from __future__ import annotations

import numpy as np
import orjson
from isal import isal_zlib

from synthcity.forecast.forecaster import Paths
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.submission import round_paths

GZIP_LEVEL = 1
_GZIP_FRAME = 16 + isal_zlib.MAX_WBITS


def encode_reply(paths: Paths, prompt: Prompt) -> bytes:
    """Return the JSON object that a dendrite reads; ``simulation_input`` must be there, its content is ignored.

    Args:
        paths: prices (num_simulations, num_steps + 1).
        prompt: as the network put it.

    Raises:
        ValueError: a wrong shape, or prices that are not finite and > 0: JSON has no NaN, and one price of 0 makes
            the whole answer invalid.
    """
    expected = (prompt.num_simulations, prompt.num_steps + 1)
    if paths.shape != expected:
        raise ValueError(f"paths must be {expected} for this prompt, not {paths.shape}")
    prices = np.ascontiguousarray(round_paths(paths))
    answer = {"simulation_input": {}, "simulation_output": [prompt.start_time, prompt.time_increment, *prices]}
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def compress(body: bytes) -> bytes:
    """Return ``body`` as gzip, by Intel's library: a fifth of the time of zlib's level 1, and fewer bytes."""
    return isal_zlib.compress(body, GZIP_LEVEL, _GZIP_FRAME)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether a header ``Accept-Encoding`` allows gzip (RFC 9110, 12.5.3)."""
    best: dict[str, bool] = {}
    for part in accept_encoding.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        best[name] = not any(p.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for p in parameters)
    return best.get("gzip", best.get("*", False))
