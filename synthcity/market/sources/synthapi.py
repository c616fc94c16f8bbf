"""The network's public figures: ``api.synthdata.co``, no key.

Its habits: 404 means that there is nothing, not that the path is wrong; about two requests a second; spans have a
longest length; a negative score marks an answer that was invalid or missing; a row names no prompt but the time at
which it was scored, some minutes after the prompt's end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from synthcity.durations import DAY
from synthcity.errors import SourceError
from synthcity.market.bars import Floats
from synthcity.market.venues.http import Patience, VenueClient
from synthcity.settings import Settings
from synthcity.sn50.competitions import Competition

COLUMNS = ("asset", "start_time", "miner", "total")
_SCORES_SPAN, _PROMPTS_SPAN = 6 * DAY, 50 * DAY  # below the longest that it takes, 7 and 60 days
_LATEST_SCORING = 1800  # seconds from a prompt's end to its scoring, within which the two are matched
_SETTING = "SYNTHCITY_SYNTH_API_URL"
PAUSE_SECONDS = 0.6
"""Between two requests: it takes about two a second."""

_PATIENCE = Patience(attempts=4, first_wait_seconds=2.0, timeout_seconds=60.0, pause_seconds=PAUSE_SECONDS)


@dataclass(frozen=True, kw_only=True)
class _Row:
    asset: str
    scored: int
    miner: int
    total: float


class SynthApi:
    """What was asked, what the price then did, and what everybody scored. Use as a context manager."""

    def __init__(self, settings: Settings | None = None, *, patience: Patience | None = None) -> None:
        settings = Settings.load() if settings is None else settings
        patience = _PATIENCE if patience is None else patience
        self._client = VenueClient("the Synth API", settings.synth_api_url, _SETTING, patience, "repeat the command")

    def __enter__(self) -> SynthApi:
        self._client.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.__exit__()

    def scores(self, asset: str, competition: Competition, start: int, end: int) -> pd.DataFrame:
        """Return what was scored in ``[start, end)`` (unix seconds), one row an answer.

        Columns: ``asset``, ``start_time`` of the prompt (unix seconds), ``miner`` (uid), ``total`` in basis points, -1
        where the answer was invalid or missing. Scores whose prompt cannot be told are left out.

        Raises:
            SourceError: it does not answer, refuses, or answers with something else.
        """
        rows = {}
        for first, last in _spans(start, end, _SCORES_SPAN):
            answer = self._ask("scores/historical", asset, competition, **_span(first, last))
            for row in map(_row, _list(answer)):
                if row.asset == asset and start <= row.scored < end:
                    rows[row.miner, row.scored] = row
        prompts = self.prompts(asset, competition, start - competition.time_length - _LATEST_SCORING, end)
        starts = {scored: _prompt_of(scored - competition.time_length, prompts) for _, scored in rows}
        found = [
            (row.asset, starts[row.scored], row.miner, row.total if row.total >= 0 else -1.0)
            for row in rows.values()
            if starts[row.scored] is not None
        ]
        return pd.DataFrame(found, columns=list(COLUMNS))

    def prompts(self, asset: str, competition: Competition, start: int, end: int) -> list[int]:
        """Return when the prompts of ``[start, end)`` began, sorted unix seconds; raises as ``scores``."""
        found: set[int] = set()
        for first, last in _spans(start, end, _PROMPTS_SPAN):
            answer = self._ask("prompts", asset, competition, **_span(first, last))
            times = {"start_times": []} if answer is None else answer
            if not isinstance(times, Mapping) or not isinstance(times.get("start_times"), list):
                raise _foreign("prompts")
            found.update(map(_seconds, times["start_times"]))
        return sorted(time for time in found if start <= time < end)

    def realised(self, asset: str, competition: Competition, start: int) -> Floats | None:
        """Return the prices (num_points,) that answers to the prompt of ``start`` were scored by, NaN at gaps.

        None where there is no such prompt, or it is not scored yet; raises as ``scores``.
        """
        answer = self._ask("realized-path", asset, competition, start_time=_iso(start))
        if answer is None:
            return None
        prices = answer.get("real_prices") if isinstance(answer, Mapping) else None
        if not isinstance(prices, list) or len(prices) != competition.num_points:
            raise _foreign(f"a path of {competition.num_points} prices")
        if not all(price is None or type(price) in (int, float) for price in prices):
            raise _foreign("prices")
        try:
            return np.array([np.nan if price is None else price for price in prices], dtype=np.float64)
        except OverflowError as error:  # of whole numbers of hundreds of digits
            raise _foreign("prices") from error

    def _ask(self, name: str, asset: str, competition: Competition, **asked: str) -> object:
        """Ask about one asset; None where there is nothing."""
        query: dict[str, str | int] = {
            "asset": asset,
            "time_length": competition.time_length,
            "time_increment": competition.time_increment,
        }
        return self._client.request("GET", f"/validation/{name}", missing=404, params=query | asked)


def _spans(start: int, end: int, longest: int) -> Iterator[tuple[int, int]]:
    for first in range(start, end, longest):
        yield first, min(first + longest, end)


def _span(start: int, end: int) -> dict[str, str]:
    return {"from": _iso(start), "to": _iso(end)}


def _prompt_of(about: int, prompts: list[int]) -> int | None:
    """The last prompt at ``about`` or up to half an hour earlier: scoring comes after the end, never before."""
    at = int(np.searchsorted(prompts, about, side="right")) - 1
    return prompts[at] if at >= 0 and about - prompts[at] <= _LATEST_SCORING else None


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(text: Any) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise _foreign(f"the time {text!r}") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _list(answer: object) -> list[object]:
    if answer is None:
        return []
    if not isinstance(answer, list):
        raise _foreign("scores")
    return answer


def _row(row: Any) -> _Row:
    try:
        found = _Row(
            asset=str(row["asset"]),
            scored=_seconds(row["scored_time"]),
            miner=int(row["miner_uid"]),
            total=float(row["crps"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _foreign("scores") from error
    if not math.isfinite(found.total):  # Python reads NaN and Infinity, which would pass for an invalid answer
        raise _foreign("scores")
    return found


def _foreign(what: str) -> SourceError:
    return SourceError(f"the Synth API answers with something else than expected ({what}); check {_SETTING}")
