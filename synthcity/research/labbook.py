"""The lab book: every look, test, decision and claim of a research, in order, for people and for later rounds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from synthcity.errors import ConfigError, RunError
from synthcity.lines import Event, LineWriter, read_all
from synthcity.research.measuring.tested import Tested
from synthcity.schema import build, key

NAME = "labbook.jsonl"
INPUT, FORECASTER = "input", "forecaster"
LEAST_GAIN = 0.05  # percent: chance has made smaller ones sure, and nobody could use them
KEEP, MEND, DROP = "keep", "mend", "drop"


def _mapping(value: object) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(value, Mapping):
        raise ValueError("a mapping")
    return value


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a candidate can be made of again: one of three.

    Attributes:
        recipe: of the grammar.
        source: the text of an input, see ``authored.feature``.
        forecaster: the text of a forecaster, see ``authored.forecaster``.
    """

    recipe: Mapping[str, Any] | None = key(None, parse=_mapping)
    source: str | None = None
    forecaster: str | None = None

    @property
    def text(self) -> str | None:
        """What a language model wrote; None for a recipe."""
        return self.source if self.forecaster is None else self.forecaster

    @property
    def kind(self) -> str:
        """INPUT or FORECASTER."""
        return INPUT if self.forecaster is None else FORECASTER


@dataclass(frozen=True, kw_only=True)
class Look:
    """Something was looked at, read-only, on the prompts before the confirming fold."""

    arm: str
    round: int
    what: str


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A candidate was tested on the folds for finding; figures in percent, minus is better, None without an interval.

    ``promising``: the interval lies below nothing, so do most folds, and the gain is ``LEAST_GAIN`` at least.
    ``refused``: why there are no figures.
    """

    arm: str
    round: int
    name: str
    hypothesis: str
    origin: Origin
    mean: float = 0.0
    low: float | None = None
    high: float | None = None
    by_fold: Mapping[str, float] = dataclasses.field(default_factory=dict)
    by_asset: Mapping[str, float] = dataclasses.field(default_factory=dict)
    columns: int = 0
    promising: bool = False
    refused: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What is made of a candidate, KEEP, MEND or DROP, and why; the last one counts."""

    arm: str
    round: int
    name: str
    decision: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class FindingOver:
    """Finding is over: so many claims are about to be asked of the confirming fold.

    ``earlier``: claims that had been asked of its days before, by others. ``ended``: why the model worked no more.
    """

    claims: int
    earlier: int
    ended: str = ""


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A candidate was asked of the confirming fold, once; ``kept`` where its interval held.

    ``what``: INPUT or FORECASTER. ``refused``: why there are no figures; a forecaster may fail on new days.
    """

    arm: str
    number: int
    name: str
    mean: float
    low: float | None
    high: float | None
    confidence: float
    prompts: int
    blocks: int
    kept: bool
    what: str = INPUT
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A sentence that belongs to the story: what was left out, what could not be asked, how an arm ended."""

    text: str


Entry = Look | Tried | Decided | FindingOver | Claimed | Noted
E_ = TypeVar("E_", bound=Entry)
_KINDS: Mapping[str, type[Entry]] = {
    kind.__name__.lower(): kind for kind in (Look, Tried, Decided, FindingOver, Claimed, Noted)
}


class LabBook:
    """Written line by line; what is in it is in memory too.

    A research that goes on takes all its steps again. What an earlier session wrote down is then not done, and not
    written, a second time: ``told`` returns it, and ``add`` takes it out of what is left of that session.
    """

    def __init__(self, folder: Path, *, resume: bool = False) -> None:
        """Begin the book of a new run, or with ``resume`` go on with the one that is there.

        Raises:
            RunError: it cannot be read or written, another process writes it, or there is one already.
        """
        self._lines = LineWriter(folder / NAME, exclusive=True)
        self.entries: list[Entry] = []
        self._earlier: list[Entry] = []
        try:
            if resume:
                self._earlier = [_entry_of(event, folder / NAME) for event in read_all(folder / NAME)]
            elif self._lines.stat().st_size:
                raise RunError(f"{folder} already holds a research; choose another name, or go on with --resume")
        except RunError:
            self._lines.close()
            raise

    def add(self, entry: Entry) -> None:
        """Write an entry down, unless an earlier session did.

        Raises:
            RunError: the disk is full or gone.
        """
        if entry in self._earlier:
            self._earlier.remove(entry)
        else:
            self._lines.append({"kind": type(entry).__name__.lower(), **asdict(entry)})
        self.entries.append(entry)

    def told(self, kind: type[E_], **fields: object) -> E_ | None:
        """Return the first entry with such ``fields`` that an earlier session wrote and this one has not come to."""
        for entry in self._earlier:
            if isinstance(entry, kind) and all(getattr(entry, name) == value for name, value in fields.items()):
                return entry
        return None

    def take_rest(self, but: type[Entry] | None = None) -> int:
        """Take over what an earlier session wrote and this one did not come to, ``but`` one kind of entries.

        Returns:
            How many entries.
        """
        rest = [entry for entry in self._earlier if but is None or not isinstance(entry, but)]
        self._earlier = [entry for entry in self._earlier if but is not None and isinstance(entry, but)]
        self.entries += rest
        return len(rest)

    def of(self, kind: type[E_], arm: str | None = None) -> list[E_]:
        """Return entries of one kind, of one arm or of all, oldest first."""
        found = [entry for entry in self.entries if isinstance(entry, kind)]
        return [entry for entry in found if arm is None or getattr(entry, "arm", arm) == arm]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()


def _entry_of(event: Event, path: Path) -> Entry:
    kind = _KINDS.get(str(event.pop("kind", None)))
    if kind is None:
        raise RunError(f"{path} holds a line that is no entry of a lab book; was it written by a later version?")
    try:
        return build(kind, event, where=str(path))
    except ConfigError as error:
        raise RunError(f"{path} holds a line that is no entry of a lab book: {error}") from error


def tried(tested: Tested, *, arm: str, round: int, hypothesis: str, origin: Origin) -> Tried:
    """Write down a test on the folds for finding."""
    worse = sum(gain >= 0 for gain in tested.by_fold.values())
    lead = tested.lead
    return Tried(
        arm=arm,
        round=round,
        name=tested.name,
        hypothesis=hypothesis,
        origin=origin,
        mean=lead.mean,
        low=finite(lead.low),
        high=finite(lead.high),
        by_fold=dict(tested.by_fold),
        by_asset=dict(lead.by_asset),
        columns=tested.columns,
        promising=lead.proven and 3 * worse <= len(tested.by_fold) and lead.mean <= -LEAST_GAIN,
        seconds=tested.seconds,
    )


def finite(value: float) -> float | None:
    """Return a bound as a lab book holds it: None where it is infinite, since there were too few days."""
    return value if math.isfinite(value) else None
