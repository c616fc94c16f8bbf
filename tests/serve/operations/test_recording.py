"""What is told of the minutes that the feed has recorded."""

from __future__ import annotations

from synthcity.market.live import SeriesHealth
from synthcity.market.store import Series
from synthcity.serve.operations.recording import Recorded, describe, recorded
from synthcity.sn50.competitions import get_rules

SINCE = 1_763_636_400  # 2025-11-20 11:00 UTC


def recording_of(assets: dict[str, tuple[int, int]], *, is_whole: bool = True) -> tuple[Recorded, ...]:
    """An hour and a bit of each asset, begun so many seconds after ``SINCE``, with so many minutes missing."""
    return tuple(
        Recorded(
            asset=asset, since=SINCE + late, until=SINCE + late + 3599 * 60, num_missing=missing, is_whole=is_whole
        )
        for asset, (late, missing) in assets.items()
    )


def health(asset: str, resolution: int = 60, *, first: int | None = SINCE, num_bars: int = 61) -> SeriesHealth:
    return SeriesHealth(
        series=Series(asset=asset, venue="hyperliquid", resolution=resolution),
        first=first,
        last=None if first is None else first + 3600,
        num_bars=num_bars,
        is_whole=True,
        num_amended=0,
        num_left_out=0,
        num_unstored=0,
        problem=None,
    )


def test_minutes_alone_count_and_assets_without_any_are_left_out():
    found = recorded([health("XAU"), health("XAU", 300), health("SPCX", first=None), health("BTC", num_bars=51)])
    assert [(one.asset, one.num_missing) for one in found] == [("XAU", 0), ("BTC", 10)]
    assert (found[0].share, found[1].share) == (1.0, 1 - 10 / 61)


def test_one_line_tells_the_youngest_the_thinnest_and_what_is_missing():
    scored = {asset: (0, 0) for one in get_rules().competitions.values() for asset in one.assets}
    assert describe(recording_of(scored)) == "13 assets recorded by the minute since 2025-11-20 11:00 (XAU) or earlier"
    text = describe(recording_of(scored | {"SPCX": (7200, 0), "SP500": (0, 360)}, is_whole=False))
    assert text == (
        "13 assets recorded by the minute since 2025-11-20 13:00 (SPCX) or earlier, least whole SP500 with 90.00 %; "
        "the past of 13 is being filled"
    )
    assert describe(()).startswith("no minute is recorded yet; not recorded: XAU, NVDAX")
