"""Prompts with what a baseline expected of their steps and what came: what every input is tested on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from synthcity.errors import DataError
from synthcity.forecast.baselines.fhs import Fhs
from synthcity.market.bars import Floats, Market, Times
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
    def returns(self) -> Floats:
        """Log returns that came, (c, horizon), NaN where a price on either side was not seen."""
        return np.diff(self.prices, axis=1)

    @property
    def moves(self) -> Floats:
        """Absolute returns in units of what was expected of them, (c, horizon)."""
        found: Floats = np.minimum(np.abs(self.returns) / self.expected, _LARGEST * self._usual)
        return found

    @property
    def _usual(self) -> float:
        return float(np.nanmedian(np.abs(self.returns) / self.expected))


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
        The cases, and a sentence for each asset that is left out altogether or in part.

    Raises:
        DataError: nothing is left.
    """
    step, horizon = competition.time_increment, competition.num_points - 1
    found: list[tuple[int, int, int, Floats, Floats]] = []
    reasons: dict[str, list[str]] = {}
    done, total = 0, len(starts) * len(assets)
    for start in starts:
        for which, asset in enumerate(assets):
            done += 1
            row = (start - int(known.times[0])) // step
            if not 0 <= row < len(known) - horizon:
                continue
            prompt = Prompt(
                asset=asset, start_time=start, time_increment=step, time_length=horizon * step, num_simulations=1
            )
            try:
                expected = baseline.expected(market.as_of(start), prompt)
            except DataError as error:
                reasons.setdefault(asset, []).append(str(error))
                continue
            prices = np.log(known.bars[asset]["close"][row : row + horizon + 1])
            if np.isfinite(prices[[0, -1]]).all() and np.isfinite(expected).all() and (expected > 0).all():
                found.append((which, start, row, expected, prices))
            if progress:
                progress(done, total)
    told = tuple(f"{asset}: {len(why)} prompts are left out, {why[0]}" for asset, why in reasons.items())
    if not found:
        raise DataError("; ".join(told) or "no prompt of the period has prices; load more history")
    asset_of, at, rows, expected, seen = (np.array(part) for part in zip(*found, strict=True))
    return Cases(
        assets=tuple(assets), asset=asset_of, start=at, row=rows, expected=expected, prices=seen, step=step
    ), told
