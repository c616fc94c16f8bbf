"""What a tracker is told, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NotRequired, Protocol

from typing_extensions import TypedDict

Values = Mapping[str, object]


class RunTold(TypedDict):
    """The first record: what the run is; ``folder`` is where files of the tracker's own may lie."""

    what: Literal["run"]
    project: str
    name: str
    id: str
    folder: str
    config: dict[str, object]


class LogTold(TypedDict):
    """Figures and names at one event of the journal, whose number is the ``step``."""

    what: Literal["log"]
    step: int
    values: dict[str, object]


class EndTold(TypedDict):
    """The last record; ``values`` is what the report says, empty where the run has none yet."""

    what: Literal["end"]
    values: dict[str, object]
    row: NotRequired[dict[str, object]]  # as ``history.row`` reads it


Record = RunTold | LogTold | EndTold


class Sink(Protocol):
    """One run at one tracker."""

    def log(self, step: int, values: Values) -> None:
        """Take figures."""

    def end(self, values: Values, row: Values | None) -> str:
        """Take the result, put everything on the disk and return where it lies."""


Open = Callable[[RunTold, Callable[[str], None]], Sink]  # gets the run, and a function that takes notes for people
