"""What events did to the prices of a store: learned from all of it up to a time, and kept in its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from synthcity import strict_json
from synthcity.errors import ConfigError, DataError
from synthcity.files import atomic_write
from synthcity.market.bars import Bars
from synthcity.market.calendar.events.learning import learn
from synthcity.market.calendar.events.outlook import packaged_responses
from synthcity.market.calendar.events.response import NUM_BINS, OPENING, Responses
from synthcity.market.store.series import SIMULATED
from synthcity.textfile import read_text

if TYPE_CHECKING:
    from synthcity.market.store.price_store import PriceStore

RESPONSES = "responses.json"
_FIVE, _ONE = 300, 60
_LARGEST = 1000.0


def learn_from(store: PriceStore, until: int) -> Responses:
    """Learn from the real bars of ``store`` that were observed at ``until`` (unix seconds) or before, and its calendar.

    Raises:
        ConfigError: the calendar is damaged.
        DataError: bars are, or there are none of five minutes to learn from.
    """
    fives = _bars(store, _FIVE)
    if not fives:
        raise DataError(f"store {store.name} holds no real 5m bars to learn from; import or download some")
    return learn(fives, store.calendar(), until, _bars(store, _ONE))


def read_responses(folder: Path) -> tuple[Responses, ...]:
    """The packaged editions and those kept in ``folder``, by the time up to which they were learned.

    Raises:
        ConfigError: the file there is damaged; it names the remedy.
    """
    return tuple(sorted([*packaged_responses(), *_kept(folder)], key=lambda one: one.until))


def keep_responses(folder: Path, edition: Responses) -> None:
    """Add an edition to those in ``folder``; the file is replaced as a whole.

    Raises:
        ConfigError: the file there is damaged.
        DataError: it cannot be written.
    """
    kept = [one for one in _kept(folder) if one.until != edition.until]
    lines = [json.dumps(one.plain(), separators=(",", ":")) for one in [*kept, edition]]
    try:
        atomic_write(folder / RESPONSES, "[" + ",\n".join(lines) + "]\n")
    except OSError as error:
        raise DataError(f"cannot write {folder / RESPONSES} ({error.strerror or error}); nothing changed") from error


def _bars(store: PriceStore, resolution: int) -> dict[str, Bars]:
    """By asset, of the venue that holds most of it."""
    found: dict[str, Bars] = {}
    for series in store.list_series():
        if series.resolution == resolution and series.venue != SIMULATED:
            bars = store.load(series.asset, resolution, series.venue)
            if len(bars) > len(found.get(series.asset, ())):
                found[series.asset] = bars
    return found


def _kept(folder: Path) -> tuple[Responses, ...]:
    path = folder / RESPONSES
    if not path.exists():
        return ()
    text = read_text(path, "what was learned of events")
    try:
        plain = strict_json.loads(text)
        found = tuple(Responses.read(one) for one in plain)
        if not isinstance(plain, list) or not all(_is_sound(one) for one in found):
            raise ValueError("a multiplier is none")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        remedy = "delete it and learn again by `synthcity data calendar --learn`"
        raise ConfigError(f"{path} is damaged ({error}); {remedy}") from None
    return found


def _is_sound(one: Responses) -> bool:
    curves = [*one.pooled.values(), *(curve for by_asset in one.own.values() for curve in by_asset.values())]
    sizes = [(curve, NUM_BINS) for curve in curves] + [(one.opening, OPENING)]
    return all(len(curve) == size and all(0 < value < _LARGEST for value in curve) for curve, size in sizes)
