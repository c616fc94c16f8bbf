"""Periods such as ``last 12 months``: counted from a store's last whole day, and frozen as dates before all else."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from synthcity.durations import DAY
from synthcity.errors import ConfigError, DataError
from synthcity.market.periods import recent_periods
from synthcity.market.store import open_store
from synthcity.market.times import format_time
from synthcity.schema import local_path, plain
from synthcity.sn50.competitions import get_competition

VAULT = "vault:"  # how the path of a store begins that lies in the run's vault
SLACK_DAYS = 5  # a holiday week-end at an end of a span is no lack of data
_log = logging.getLogger(__name__)


def freeze_periods(document: Mapping[str, Any]) -> dict[str, Any]:
    """Replace periods that are a text by dates, and assets that are not named by those whose prices reach so far.

    The run's own config holds the dates, so that a resumed run sees the same prices.

    Raises:
        ConfigError: the text is no span, or there is no store to count from.
        DataError: no asset has prices over the whole span.
    """
    data = document.get("data")
    text = data.get("periods") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(text, str):
        return dict(document)
    if data.get("source", "store") != "store" or not isinstance(data.get("path"), str):
        raise ConfigError(f"data.periods: {text!r} is counted from a store; set data.path, or write dates")
    if data["path"].startswith(VAULT):
        raise ConfigError(f"data.periods: {text!r} is counted from a folder; with {data['path']} write dates")
    try:
        competition = get_competition(str(document.get("competition")), document.get("rules"))
    except ValueError as error:
        raise ConfigError(str(error)) from error
    store, step, venue = open_store(local_path(data["path"])), competition.time_increment, data.get("venue")
    wanted = list(data.get("assets") or competition.assets)
    spans = {
        series.asset: store.span(series)
        for series in store.series()
        if series.resolution == step and series.asset in wanted and venue in (None, series.venue)
    }
    if not spans:
        raise DataError(f"store {store.name} holds no {step}-second bars of {', '.join(wanted)}")
    end = max(last for _, last in spans.values()) // DAY * DAY
    periods = recent_periods(text, end)
    start, slack = periods.train.start, SLACK_DAYS * DAY
    assets = [a for a in wanted if a in spans and spans[a][0] <= start + slack and spans[a][1] >= end - slack]
    lacking = [asset for asset in wanted if asset not in assets]
    if lacking and (data.get("assets") or not assets):
        have = ", ".join(
            f"{a} from {format_time(spans[a][0])} to {format_time(spans[a][1])}" if a in spans else f"no {a}"
            for a in lacking
        )
        raise DataError(
            f"data.periods: {text} is {format_time(start)} to {format_time(end)}, and store {store.name} has {have}; "
            "download more or name a shorter span"
        )
    left = f"; without {', '.join(lacking)}, whose prices do not reach so far" if lacking else ""
    _log.warning("%s: %s to %s, %s%s", text, format_time(start), format_time(end), ", ".join(assets), left)
    return {**document, "data": {**data, "periods": dict(plain(periods)), "assets": assets}}
