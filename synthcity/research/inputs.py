"""The contract of an input, and that it is kept: columns of the past, covariates of the future, nothing foreseen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from synthcity.authored.declared import MAX_COLUMNS
from synthcity.errors import TrialFailed
from synthcity.market.bars import Floats, Times
from synthcity.research.known import Known

Rows = NDArray[np.int64]
_CHECKED = 4  # rows at which a shortened past must give the same


class InputRefused(TrialFailed):
    """An input broke its contract; the text says how, for whoever wrote it. A search loses a prompt by it, no more."""

    exit_code = 2


class Input(Protocol):
    """Says more of the volatility to come than a baseline knows.

    Whatever it says of row ``r`` may depend on what was known then, ``known.until(r)``, alone.
    """

    @property
    def name(self) -> str:
        """Short name for tables."""

    def past(self, known: Known, rows: Rows) -> Floats:
        """Return columns (len(rows), assets, p) as of each row."""

    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        """Return covariates (len(rows), assets, steps, q) of the steps that END at ``ends`` (len(rows), steps)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Said:
    """What an input says at some rows: ``past`` (rows, assets, p) and ``future`` (rows, assets, steps, q)."""

    past: Floats
    future: Floats


def ask(one: Input, known: Known, rows: Rows, ends: Times, rng: np.random.Generator) -> Said:
    """Ask an input about ``rows`` (n,) and the steps after each that end at ``ends`` (n, steps); check what it says.

    Raises:
        InputRefused: wrong shapes, too many columns, nothing finite, or rows that know what came later.
    """
    said = _ask(one, known, rows, ends)
    for at in rng.choice(len(rows), min(_CHECKED, len(rows)), replace=False):
        row = int(rows[at])
        alone = _ask(one, known.until(row), rows[at : at + 1], ends[at : at + 1])
        for what in ("past", "future"):
            whole, cut = getattr(said, what)[at], getattr(alone, what)[0]
            if whole.shape != cut.shape or not np.allclose(whole, cut, rtol=1e-6, atol=1e-9, equal_nan=True):
                raise InputRefused(
                    f"its {what} of row {row} differs where later rows are cut off, so it reads the future or keeps "
                    "something between calls; use what was known at the row alone"
                )
    return said


def _ask(one: Input, known: Known, rows: Rows, ends: Times) -> Said:
    assets = len(known.assets)
    past = _checked(one.past(known, rows), (len(rows), assets), "past")
    return Said(past=past, future=_checked(one.future(known, rows, ends), (len(rows), assets, ends.shape[1]), "future"))


def _checked(values: Floats, shape: tuple[int, ...], what: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.shape[:-1] != shape:
        raise InputRefused(f"its {what} has the shape {found.shape}, not {(*shape, 'columns')}")
    if found.shape[-1] > MAX_COLUMNS:
        raise InputRefused(f"its {what} has {found.shape[-1]} columns; {MAX_COLUMNS} are the most")
    return found
