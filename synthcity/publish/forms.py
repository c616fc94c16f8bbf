"""What a bundle's folder may hold when it leaves or comes in: files of bundles and nothing else, no code, no pickle."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from synthcity.forecast.bundles.verified import CONFIG, MANIFEST, MAX_DEPTH, METRICS, WEIGHTS

_OWN = "|".join(map(re.escape, (CONFIG, WEIGHTS, METRICS, MANIFEST)))
_FILE = re.compile(rf"(?:members/\d{{1,2}}/){{0,{MAX_DEPTH}}}(?:{_OWN}|code/\d{{1,2}}\.py)")
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")  # torch.save writes a zip of pickles


def foreign_name(names: Iterable[str]) -> str | None:
    """Return the first of the paths in a bundle that no bundle has."""
    return next((name for name in sorted(names) if not _FILE.fullmatch(name)), None)


def has_code(names: Iterable[str]) -> bool:
    """Whether one of the paths in a bundle is code."""
    return any(name.endswith(".py") for name in names)


def wrong_weights(path: Path) -> str | None:
    """Return what is wrong with a file of weights as it lies on the disk, or None; nothing in it is run."""
    with path.open("rb") as file:
        if file.read(4).startswith(_PICKLES):
            return f"{path.name} is a pickle that calls itself safetensors; it is not opened"
    try:
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                values = file.get_tensor(name)
                if np.issubdtype(values.dtype, np.floating) and np.isnan(values).any():
                    return f"the weights {name[:80]!r} hold NaN"
    except (SafetensorError, OSError, ValueError, TypeError, json.JSONDecodeError) as error:
        return f"{path.name} is no file of safetensors: {' '.join(str(error).split())[:200]}"
    return None
