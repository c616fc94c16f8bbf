"""What the feed has recorded, minute by minute: some venues forget within days, so a minute that is missed is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthcity.durations import MINUTE
from synthcity.market.live import SeriesHealth
from synthcity.market.times import format_time
from synthcity.sn50.competitions import get_rules


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The minutes of one asset that the feed knows, of those that it keeps in memory.

    Attributes:
        since, until: when the first and the last one were observed, unix seconds.
        num_missing: minutes in between that are not there: nobody traded, the venue failed, or nobody recorded.
        is_whole: whether the venue was asked for all of its past.
    """

    asset: str
    since: int
    until: int
    num_missing: int
    is_whole: bool

    @property
    def share(self) -> float:
        """Minutes that are there over minutes that there could be, in (0, 1]."""
        possible = (self.until - self.since) // MINUTE + 1
        return 1 - self.num_missing / possible


def recorded(health: Sequence[SeriesHealth]) -> tuple[Recorded, ...]:
    """Return what is recorded of each asset of which there is a minute."""
    return tuple(
        Recorded(
            asset=one.series.asset,
            since=one.first,
            until=one.last,
            num_missing=(one.last - one.first) // MINUTE + 1 - one.num_bars,
            is_whole=one.is_whole,
        )
        for one in health
        if one.series.resolution == MINUTE and one.first is not None and one.last is not None
    )


def describe(found: Sequence[Recorded]) -> str:
    """Say in a line since when all is recorded, which asset lacks most, and what the network asks for besides."""
    scored = dict.fromkeys(asset for one in get_rules().competitions.values() for asset in one.assets)
    lacking = [asset for asset in scored if asset not in {one.asset for one in found}]
    told = f"; not recorded: {', '.join(lacking)}" if lacking else ""
    if not found:
        return f"no minute is recorded yet{told}"
    youngest, thinnest = max(found, key=lambda one: one.since), min(found, key=lambda one: one.share)
    filling = sum(not one.is_whole for one in found)
    count = f"{len(found)} asset{'s' * (len(found) > 1)}"
    text = f"{count} recorded by the minute since {format_time(youngest.since)} ({youngest.asset}) or earlier"
    if thinnest.num_missing:
        text += f", least whole {thinnest.asset} with {100 * thinnest.share:.2f} %"
    return text + (f"; the past of {filling} is being filled" if filling else "") + told
