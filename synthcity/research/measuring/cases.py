"""Prompts with what a baseline expected of their steps and what came: what everything is tested on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from synthcity.errors import ConfigError, DataError
from synthcity.forecast.baselines.fhs import Fhs
from synthcity.market.bars import Floats, Market, Times
from synthcity.market.periods import Period
from synthcity.research.inputs import Rows
from synthcity.research.known import Known
from synthcity.sn50.competitions import Competition
from synthcity.sn50.prompt import Prompt

_LARGEST = 40.0  # of a return in units of what was expected: a crash counts as one, not as a month


@dataclass(frozen=True, eq=False, kw_only=True)
class Cases:
    """Prompts of all assets in order of time; c of them, each of ``horizon`` steps.

    Attributes:
        assets: names, to which ``asset`` points.
        asset: (c,) which.
        start: unix seconds (c,).
        row: (c,) the row of ``Known`` that was observed at the start.
        expected: (c, horizon) what the baseline expects of each step, up to a scale.
        prices: (c, horizon + 1) log prices that came, from the start on, NaN where one was not seen.
        step: seconds.
    """

    assets: tuple[str, ...]
    asset: Rows
    start: Times
    row: Rows
    expected: Floats
    prices: Floats
    step: int

    def __len__(self) -> int:
        return len(self.start)

    @property
    def horizon(self) -> int:
        return int(self.expected.shape[1])

    @property
    def ends(self) -> Times:
        """When each is over, unix seconds (c,)."""
        return self.start + self.horizon * self.step

    def of(self, fold: Period) -> NDArray[np.bool_]:
        """Which begin and are over within a fold, (c,).

        Raises:
            ConfigError: none is.
        """
        own: NDArray[np.bool_] = (self.start >= fold.start) & (self.ends <= fold.end)
        if not own.any():
            raise ConfigError(f"the fold {fold} holds no prompt; let it be longer, or ask more often")
        return own

    @property
    def returns(self) -> Floats:
        """Log returns that came, (c, horizon), NaN where a price on either side was not seen."""
        return np.diff(self.prices, axis=1)

    def moves(self, of: NDArray[np.bool_]) -> Floats:
        """Absolute returns in units of what was expected of them, (m, horizon), for the m cases that ``of`` (c,) names.

        A crash is cut by what is usual among these cases, so nothing hangs on the others.
        """
        found = np.abs(self.returns[of]) / self.expected[of]
        if np.isnan(found).all():
            return found
        return np.minimum(found, _LARGEST * np.nanmedian(found))


def build_cases(
    baseline: Fhs,
    market: Market,
    known: Known,
    assets: Sequence[str],
    competition: Competition,
    starts: Sequence[int],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Cases, tuple[str, ...]]:
    """Ask the baseline at every start for every asset; what it cannot answer is left out and told.

    Returns:
        The cases, and for each asset a sentence for every reason for which prompts of it are left out.

    Raises:
        DataError: nothing is left.
    """
    step, horizon = competition.time_increment, competition.num_points - 1
    found: list[tuple[int, int, int, Floats, Floats]] = []
    reasons: dict[tuple[str, str], list[str]] = {}
    total = len(starts) * len(assets)
    for done, (start, (which, asset)) in enumerate(product(starts, enumerate(assets)), start=1):
        prompt = Prompt(
            asset=asset, start_time=start, time_increment=step, time_length=horizon * step, num_simulations=1
        )
        try:
            found.append((which, start, *_case(baseline, market, known, prompt)))
        except _LeftOut as error:
            reasons.setdefault((asset, error.kind), []).append(str(error))
        if progress:
            progress(done, total)
    told = tuple(
        f"{asset}: {len(why)} prompt{'s are' if len(why) > 1 else ' is'} left out, {why[0]}"
        for (asset, _), why in reasons.items()
    )
    if not found:
        raise DataError("; ".join(told) or "no prompt of the period has prices; load more history")
    asset_of, at, rows, expected, seen = (np.array(part) for part in zip(*found, strict=True))
    return Cases(
        assets=tuple(assets), asset=asset_of, start=at, row=rows, expected=expected, prices=seen, step=step
    ), told


class _LeftOut(Exception):
    """A prompt cannot be a case; those of one ``kind`` are told together, by the first one's sentence."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def _case(baseline: Fhs, market: Market, known: Known, prompt: Prompt) -> tuple[int, Floats, Floats]:
    """Return the row of the start, what is expected of each step (horizon,), and log prices (horizon + 1,)."""
    row, horizon = (prompt.start_time - int(known.times[0])) // known.step, prompt.num_steps
    if not 0 <= row < len(known) - horizon:
        raise _LeftOut("end", "its prices begin later or end sooner")
    try:
        expected = baseline.expected(market.as_of(prompt.start_time), prompt)
    except DataError as error:
        raise _LeftOut("baseline", str(error)) from None
    if not (np.isfinite(expected).all() and (expected > 0).all()):
        raise _LeftOut("still", "the baseline expects no movement, or no finite one, of a step")
    prices: Floats = np.log(known.bars[prompt.asset]["close"][row : row + horizon + 1])
    if not np.isfinite(prices[[0, -1]]).all():
        raise _LeftOut("price", "its price at the start or at the end was not seen")
    return row, expected, prices
