"""One past run as a line of a table, whatever it was read from.

Whoever reads a row may have got it from a stranger: every field is held to its type and size, and what is wrong is one
``DataError``. A lead is 100 (score - baseline) / baseline on the test period, in percent, negative when better; leads
compare between runs of one competition, scores of different prompts do not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from synthcity.errors import DataError

ROW = "row"  # the first key of a report that holds one
ROW_VERSION = 1  # of what ``to_dict`` writes
PROVEN, NOT_PROVEN, UNFINISHED = "proven", "not proven", "unfinished"
PERIODS = ("train", "validation", "test")
_LONGEST = 200  # characters of a text; what is longer is cut
_FARTHEST = 32503680000.0  # unix seconds of the year 3000


@dataclass(frozen=True, kw_only=True)
class Lead:
    """A lead over the baseline ``against``, with the bounds of its 95 % interval, None where too few days made one."""

    against: str
    mean: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One run.

    ``id`` finds it again at its source; ``began`` is in unix seconds; ``periods`` holds first and last day of train,
    validation and test; ``winner`` is what was frozen, ``lead`` that of the best candidate over the best baseline, and
    ``score`` its mean on the test period in basis points. ``usd`` was paid for language models and rented machines.
    ``verdict`` is one of the three words above. ``is_open``: the run goes on, or was left before its end, so that what
    is told may change.
    """

    id: str
    name: str
    began: float = 0.0
    competition: str = ""
    periods: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    verdict: str = UNFINISHED
    winner: str = ""
    lead: Lead | None = None
    score: float | None = None
    trials: int = 0
    usd: float = 0.0
    gpu_hours: float = 0.0
    is_simulated: bool = False
    is_open: bool = False

    @property
    def usd_per_tenth(self) -> float | None:
        """What each tenth of a percent of a proven lead cost; None where nothing is proven."""
        is_proven = self.verdict == PROVEN and self.lead is not None and self.lead.mean < 0
        return self.usd / (-self.lead.mean / 0.1) if is_proven and self.lead is not None else None

    def to_dict(self) -> dict[str, object]:
        """Return plain data that :func:`read_row` takes."""
        return {"version": ROW_VERSION, **asdict(self)}


def read_row(data: object, *, id: str | None = None) -> Row:
    """Build a row of plain data; text loses what a terminal would obey.

    Args:
        data: what somebody wrote.
        id: what its source calls it, where that is not for the data to say.

    Raises:
        DataError: a field is missing, of another type or out of range.
    """
    told = _mapping(data, "a run")
    lead = told.get("lead")
    periods = _mapping(told.get("periods") or {}, "periods")
    verdict = _text(told, "verdict")
    if verdict not in (PROVEN, NOT_PROVEN, UNFINISHED):
        raise DataError(f"verdict is {verdict!r}")
    trials = _number(told, "trials", low=0)
    return Row(
        id=_text(told, "id") if id is None else id,
        name=_text(told, "name"),
        began=_number(told, "began", low=0, high=_FARTHEST),
        competition=_text(told, "competition"),
        periods={name: _span(periods[name]) for name in PERIODS if name in periods},
        verdict=verdict,
        winner=_text(told, "winner"),
        lead=None if lead is None else _lead(_mapping(lead, "lead")),
        score=_known(told, "score"),
        trials=int(trials),
        usd=_number(told, "usd", low=0),
        gpu_hours=_number({"gpu_hours": 0.0, **told}, "gpu_hours", low=0),  # rows of before have none
        is_simulated=_truth(told, "is_simulated"),
        is_open=_truth(told, "is_open"),
    )


def row_of_report(report: Mapping[str, object], *, id: str) -> Row:
    """Build the row of a run from what ``report.json`` holds.

    Raises:
        DataError: it is no report.
    """
    run, verdict = _mapping(report.get("run"), "run"), _mapping(report.get("verdict"), "verdict")
    leads, against = _mapping(report.get("leads"), "leads"), _text(verdict, "best_baseline")
    trials, arms, scores = (_list(report, key) for key in ("trials", "arms", "scores"))
    own = [row for row in scores if isinstance(row, Mapping) and row.get("name") == verdict.get("challenger")]
    lead = {**_mapping(leads[against], "lead"), "against": against} if against in leads else None
    usd = _number(run, "usd", low=0) if "usd" in run else sum(_number(_mapping(arm, "arm"), "usd") for arm in arms)
    price = _mapping(run.get("price") or {}, "price")
    told = {
        "name": run.get("name"),
        "began": run.get("started"),
        "competition": run.get("competition"),
        "periods": report.get("periods"),
        "verdict": PROVEN if _truth(verdict, "proven") else NOT_PROVEN,
        "winner": verdict.get("winner"),
        "lead": lead,
        "score": own[0].get("mean") if own else None,
        "trials": len(trials),
        "usd": usd + _number({"machine_usd": 0.0, **price}, "machine_usd", low=0),
        "gpu_hours": price.get("gpu_hours", 0.0),
        "is_simulated": run.get("is_simulated", False),
        "is_open": False,
    }
    return read_row(told, id=id)


def printable(text: str) -> str:
    """Return ``text`` in one line, without what a terminal would obey or read the other way round."""
    return text if text.isprintable() else "".join(mark if mark.isprintable() else "?" for mark in text)


def _lead(told: Mapping[str, object]) -> Lead:
    mean, low, high = _number(told, "mean"), _known(told, "low"), _known(told, "high")
    if low is not None and high is not None and not low <= mean <= high:
        raise DataError(f"the interval {low} to {high} does not hold the lead {mean}")
    return Lead(against=_text(told, "against"), mean=mean, low=low, high=high)


def _span(value: object) -> tuple[str, str]:
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(isinstance(day, str) for day in value):
        raise DataError("a period is no pair of days")
    first, last = (printable(day[:_LONGEST]) for day in value)
    return first, last


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise DataError(f"{what} is no mapping")
    return value


def _list(told: Mapping[str, object], key: str) -> list[object]:
    value = told.get(key)
    if not isinstance(value, list):
        raise DataError(f"{key} is no list")
    return value


def _text(told: Mapping[str, object], key: str) -> str:
    value = told.get(key)
    if not isinstance(value, str):
        raise DataError(f"{key} is no text")
    return printable(value[:_LONGEST])


def _number(told: Mapping[str, object], key: str, *, low: float = -math.inf, high: float = math.inf) -> float:
    value = told.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"{key} is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or not low <= number <= high:
        raise DataError(f"{key} is out of range")
    return number


def _known(told: Mapping[str, object], key: str) -> float | None:
    return None if told.get(key) is None else _number(told, key)


def _truth(told: Mapping[str, object], key: str) -> bool:
    value = told.get(key)
    if not isinstance(value, bool):
        raise DataError(f"{key} is neither true nor false")
    return value
