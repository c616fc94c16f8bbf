"""What of a library a search may use: by its competition, its kind of prices, and the days that were seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synthcity.authored.forecaster import ForecasterSource
from synthcity.authored.reading import Refused
from synthcity.errors import ConfigError
from synthcity.market.periods import Period
from synthcity.market.times import parse_time
from synthcity.research.informed.kept import Kept
from synthcity.research.labbook import FORECASTER
from synthcity.research.library import DROPPED, PROMOTED, Item, items


def usable(folder: Path, competition: str, *, simulated: bool, test: Period) -> tuple[list[Kept], list[str]]:
    """Return what a library holds for such a search, and a sentence for each input that is left out.

    What was dropped, or found on worlds for a search on real prices or the other way round, is left out; so is what
    was looked at on days of the test period, which would then prove nothing.

    Raises:
        ConfigError: there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigError(f"search.library is {folder}, where there is no folder; `synthcity library list` shows one")
    found, problems = items(folder)
    kept, notes = list[Kept](), list(problems)
    for item in found:
        if item.status == DROPPED or item.origin.kind == FORECASTER:
            continue
        try:
            one = Kept.of(item.name, item.origin)
            why = _against(item, competition, simulated, test)
            why = why or (f"it reads the series {one.series}, which no search has" if one.series else "")
        except ConfigError as error:
            why = str(error)
        if why:
            notes.append(f"the kept input {item.name} is left out: {why}")
        else:
            kept.append(one)
    if not kept and all(item.origin.forecaster is None for item in found):
        notes.append(f"search.library is {folder}, which holds nothing that this search may use")
    return kept, notes


@dataclass(frozen=True, kw_only=True)
class KeptForecaster:
    """A forecaster of a library, read and not run; ``name`` is that in the library."""

    name: str
    source: ForecasterSource


def usable_forecasters(
    folder: Path, competition: str, *, simulated: bool, test: Period
) -> tuple[list[KeptForecaster], list[str]]:
    """Return the forecasters that a library holds for such a search, and a sentence for each that is left out.

    What a person promoted comes first, then by what is surest of it.
    """
    found, notes = list[tuple[bool, float, KeptForecaster]](), list[str]()
    for item in items(folder)[0]:
        if item.status == DROPPED or item.origin.forecaster is None:
            continue
        try:
            one = KeptForecaster(name=item.name, source=ForecasterSource.of(item.origin.forecaster))
            why = _against(item, competition, simulated, test)
        except Refused as error:
            why = f"its text may not run: {error}"
        if why:
            notes.append(f"the kept forecaster {item.name} is left out: {why}")
        else:
            found.append((item.status != PROMOTED, item.evidence.confirmed.high or 0.0, one))
    return [one for _, _, one in sorted(found, key=lambda each: each[:2])], notes


def _against(item: Item, competition: str, simulated: bool, test: Period) -> str:
    evidence = item.evidence
    if evidence.competition != competition:
        return f"it was found for {evidence.competition}"
    found_simulated = evidence.simulated or evidence.prices.startswith("world ")  # earlier files tell of worlds alone
    if found_simulated != simulated:
        return f"it was found on {'simulated' if found_simulated else 'real'} prices"
    for name, text in evidence.folds.items():
        start, _, end = text.partition(" to ")
        if not simulated and parse_time(start) < test.end and test.start < parse_time(end):
            return f"its fold {name} ({text}) reaches into the test period ({test}); test on later days"
    return ""
