"""The answer as it goes over the wire: rounding, the network's validation, JSON bytes.

An answer is the list ``[start_time, time_increment, path_1, ..., path_N]``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from synthcity.sn50.competitions import Rules, get_rules
from synthcity.sn50.crps import Array
from synthcity.sn50.prompt import Prompt

MAX_DIGITS = 8
_FLOAT32_MAX = float(np.finfo(np.float32).max)


def round_paths(paths: ArrayLike) -> Array:
    """Round prices to the 8 digits that both digit rules allow, keeping them > 0.

    Decimals: 8 less the length of the largest price's integer part, for all paths alike. From 10 million on no
    float passes the ``characters`` rule of 2026-05, which counts a trailing ".0".
    """
    prices = np.asarray(paths, dtype=np.float64)
    if prices.size == 0 or not np.all((prices > 0) & (prices < np.inf)):
        raise ValueError("prices must be finite and > 0 before they are rounded")
    decimals = MAX_DIGITS - _integer_digits(prices)
    rounded = np.round(prices, decimals)
    if MAX_DIGITS - _integer_digits(rounded) < decimals:  # 99.9999999 became 100
        decimals -= 1
        rounded = np.round(prices, decimals)
    smallest: Array = np.maximum(rounded, 10.0**-decimals)
    return smallest


def _integer_digits(prices: Array) -> int:
    return len(str(int(prices.max())))


def validate(answer: object, prompt: Prompt, rules: Rules | None = None) -> str | None:
    """Return why the network would refuse a decoded ``answer`` to ``prompt``, or None if it would not.

    As strict as the network, no stricter: under 2026-05 even NaN passes here and is caught by the score.
    """
    rules = get_rules() if rules is None else rules
    if not isinstance(answer, list | tuple) or len(answer) == 0:
        return "the answer is empty or no list"
    if len(answer) != prompt.num_simulations + 2:
        return f"{len(answer) - 2} paths instead of {prompt.num_simulations}"
    expected = {"start time": prompt.start_time, "time increment": prompt.time_increment}
    for found, (name, value) in zip(answer, expected.items(), strict=False):
        if not isinstance(found, int) or isinstance(found, bool) or found != value:
            return f"{name} is {found!r} instead of {value}"
    for index, path in enumerate(answer[2:]):
        reason = _refused_path(path, prompt.num_steps + 1, rules)
        if reason is not None:
            return f"path {index}: {reason}"
    return None


def _refused_path(path: object, num_points: int, rules: Rules) -> str | None:
    if not isinstance(path, list | tuple):
        return f"a {type(path).__name__} instead of a list"
    if len(path) != num_points:
        return f"{len(path)} points instead of {num_points}"
    refuses = _refused_characters if rules.digit_rule == "characters" else _refused_significant
    for point, price in enumerate(path):
        if isinstance(price, bool) or not isinstance(price, int | float):
            return f"point {point} is {price!r}, not a number"
        reason = refuses(float(price))
        if reason is not None:
            return f"point {point} is {price!r}: {reason}"
    return None


def _refused_characters(price: float) -> str | None:
    # as the validator counts: those of an exponent, too, so that 1e-05 has five
    num_characters = len(str(price).replace(".", ""))
    if num_characters > MAX_DIGITS:
        return f"{num_characters} characters without the dot, at most {MAX_DIGITS} are allowed"
    return None


def _refused_significant(price: float) -> str | None:
    if not math.isfinite(price):
        return "not finite"
    if abs(price) > _FLOAT32_MAX or (price != 0 and np.float32(price) == 0):
        return "outside the range of float32"
    if float(f"{price:.{MAX_DIGITS}g}") != price:
        return f"more than {MAX_DIGITS} significant digits"
    return None


def encode(paths: ArrayLike, prompt: Prompt) -> bytes:
    """Encode prices (num_simulations, num_steps + 1) as the JSON bytes of the answer list.

    Round first (``round_paths``). ``ValueError`` for a wrong shape or for prices that are not finite and > 0:
    JSON has no NaN, and a price of 0 makes the whole answer invalid.
    """
    prices = np.asarray(paths, dtype=np.float64)
    expected = (prompt.num_simulations, prompt.num_steps + 1)
    if prices.shape != expected:
        raise ValueError(f"paths must be {expected} for this prompt, not {prices.shape}")
    if not np.all((prices > 0) & (prices < np.inf)):
        raise ValueError("prices must be finite and > 0 to be sent")
    answer: Sequence[object] = [prompt.start_time, prompt.time_increment, *prices.tolist()]
    return json.dumps(answer, separators=(",", ":"), allow_nan=False).encode("ascii")
