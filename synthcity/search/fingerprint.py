"""What the trials of a run saw of the prices, as hashes: scores of other prices must not be ranked beside theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from synthcity.errors import DataError
from synthcity.search.data import SearchData

Fingerprint = dict[str, dict[str, str]]
_SEEN = ("train", "validation")  # by trials; the test period is looked at once, at the end
_LENGTH = 16  # hex digits of a SHA-256 that are kept


def fingerprint(data: SearchData) -> Fingerprint:
    """Return by asset the hash of its bars in each period, gaps before a period counted to it, and of its features.

    Prices that were drawn before the first bar count to the train period.
    """
    found: Fingerprint = {}
    step = data.competition.time_increment
    for asset in data.assets:
        bars, table = data.market[asset, step], data.dataset.tables[asset]
        ends = [getattr(data.periods, name).end - step for name in ("train", "validation", "test")]
        cuts = [0, *np.searchsorted(bars.time, ends, side="right").tolist()]
        parts = [bars.slice(first, last) for first, last in pairwise(cuts)]
        found[asset] = {
            name: _hash(part.time, part.open, part.high, part.low, part.close, part.volume)
            for name, part in zip(("train", "validation", "test"), parts, strict=True)
        }
        num_drawn = int(np.searchsorted(table.time, bars.observed[0]))
        if num_drawn:
            found[asset]["train"] = _hash(
                np.frombuffer(found[asset]["train"].encode(), np.uint8), table.time[:num_drawn], table.price[:num_drawn]
            )
        found[asset]["features"] = _hash(table.time, table.sequence, table.context, table.future)
    return found


def compare(before: Mapping[str, Mapping[str, str]], now: Fingerprint) -> list[str]:
    """Return a sentence for each change since the run began that its trials did not see.

    Raises:
        DataError: prices that trials were trained or compared on differ.
    """
    notes = []
    for asset, hashes in now.items():
        old = before.get(asset, hashes)
        changed = [name for name, value in hashes.items() if old.get(name, value) != value]
        seen = [name for name in changed if name in _SEEN]
        if seen:
            raise DataError(
                f"the prices of {asset} in the {seen[0]} period are not those that this run began with, and its scores "
                "would not compare; point data.path to the old store, or start a new run under another --name"
            )
        if "test" in changed:
            notes.append(f"The prices of {asset} in the test period changed after the run had begun.")
        if changed == ["features"]:
            notes.append(
                f"The features of {asset} are computed otherwise than when the run began: by another version, or on "
                "another kind of machine. Scores before and after differ by that too."
            )
    return notes


def _hash(*arrays: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:_LENGTH]
