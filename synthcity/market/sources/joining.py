"""Realised paths put together: those of prompts that start at different minutes make a finer grid than any of them.

The network labels a price by the opening time of its minute candle, as bars here are labelled; so the price at grid
time t is the close of the minute bar that opens at t.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthcity.market.bars import Floats, Times

Flags = NDArray[np.bool_]

_MOST_ANSWERS = 2  # a minute that one path lacks is looked for in one more


@dataclass(frozen=True, kw_only=True, order=True)
class Span:
    """Which minutes a prompt's path tells of: ``start``, ``start + increment``, ... up to ``start + length``."""

    start: int
    length: int
    increment: int

    @property
    def end(self) -> int:
        """The last grid time."""
        return self.start + self.length

    def rows(self, minutes: Times) -> Flags:
        """Which of ``minutes`` (unix seconds, (n,)) lie on its grid."""
        since = minutes - self.start
        return np.asarray((since >= 0) & (since <= self.length) & (since % self.increment == 0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Joined:
    """What paths tell of some minutes.

    Attributes:
        close: (n,), NaN where no path has a price.
        num_shared: how often a path told a price that another one had told.
        num_conflicts: how often it was another price.
        first_conflict: the minute of the first one with both prices, the one that counts last; None without any.
    """

    close: Floats
    num_shared: int
    num_conflicts: int
    first_conflict: tuple[int, float, float] | None


def join(minutes: Times, spans: Sequence[Span], ask: Callable[[Span], Floats | None]) -> Joined:
    """Ask for as few paths as tell all that ``spans`` can of ``minutes``, and for one more to hold against them.

    The path that tells most of what is missing is asked for first, those that begin within ``minutes`` before older
    ones: what these leave is then told by the first paths of the day before, which are known already, and six requests
    make a day of minutes. Where two contradict each other, the one whose prompt ended later counts: the venue had more
    time to amend its candle.

    Args:
        minutes: grid times, sorted unix seconds (n,).
        spans: of the prompts whose paths there may be.
        ask: returns the prices of one, NaN at gaps, or None where there is none.
    """
    candidates = sorted(spans)
    covers = np.array([span.rows(minutes) for span in candidates], dtype=bool).reshape(len(candidates), len(minutes))
    begins_within = np.array([span.start >= minutes[0] for span in candidates], dtype=bool)
    is_left = np.ones(len(candidates), dtype=bool)
    known, num_answers = np.zeros(len(minutes), dtype=bool), np.zeros(len(minutes), dtype=np.int64)
    found: list[tuple[Span, Floats]] = []

    def take_in(wanted: Flags) -> bool:
        """Ask for the path that tells most of ``wanted`` (n,); False where none tells of any."""
        gains = (covers & wanted).sum(axis=1) * is_left
        if not gains.any():
            return False
        best = int((gains * begins_within if (gains * begins_within).any() else gains).argmax())
        is_left[best] = False
        if (prices := ask(candidates[best])) is not None:
            at = np.flatnonzero(covers[best])
            num_answers[at] += 1
            told = prices[(minutes[at] - candidates[best].start) // candidates[best].increment]
            known[at[np.isfinite(told)]] = True
            found.append((candidates[best], prices))
        return True

    while take_in(~known & (num_answers < _MOST_ANSWERS)):
        pass
    take_in(known)
    return _put_together(minutes, found)


def _put_together(minutes: Times, found: Sequence[tuple[Span, Floats]]) -> Joined:
    close = np.full(len(minutes), np.nan)
    num_shared, conflicts = 0, list[tuple[int, float, float]]()
    for span, prices in sorted(found, key=lambda one: (one[0].end, one[0])):
        at = np.flatnonzero(span.rows(minutes))
        told = prices[(minutes[at] - span.start) // span.increment]
        at, told = at[np.isfinite(told)], told[np.isfinite(told)]
        num_shared += int(np.isfinite(close[at]).sum())
        for row in np.flatnonzero(np.isfinite(close[at]) & (close[at] != told)):
            conflicts.append((int(minutes[at[row]]), float(close[at[row]]), float(told[row])))
        close[at] = told
    first = min(conflicts, default=None)
    return Joined(close=close, num_shared=num_shared, num_conflicts=len(conflicts), first_conflict=first)
