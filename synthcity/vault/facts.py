"""What an index tells of a run: read from its journal and its report, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from synthcity import strict_json
from synthcity.errors import ConfigError, RunError
from synthcity.lines import Event, parse_line
from synthcity.market.periods import Periods
from synthcity.vault.entry import Known, RunFacts, VerdictFacts

JOURNAL, REPORT = "journal.jsonl", "report.json"
_PAID = ("answered", "diagnosis", "author_ended", "researched")
_MAX_REPORT = 64 << 20  # bytes


class _Data(TypedDict):
    periods: dict[str, object]
    source: str


class _Config(TypedDict):
    data: _Data


class _Started(TypedDict):
    """What is read of the event with which a run begins."""

    name: str
    competition: str
    rules: str
    assets: list[str]
    config: _Config


_STARTED = TypeAdapter(_Started)
_VERDICT = TypeAdapter(VerdictFacts)


class NothingToPush(RunError):
    """A folder holds no run, bundle or store, or a run that was left before it began."""


@dataclass(frozen=True, kw_only=True)
class JournalCopy:
    """The whole lines of a journal at one instant; ``identity`` tells this run from all others."""

    content: bytes
    events: tuple[Event, ...]

    @property
    def identity(self) -> bytes:
        """The first line, which holds the instant at which the run began."""
        return self.content.partition(b"\n")[0]


def copy_journal(folder: Path) -> JournalCopy:
    """Read the journal of a run that may be going on.

    Raises:
        NothingToPush: there is none.
        RunError: it cannot be read.
    """
    path = folder / JOURNAL
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NothingToPush(f"there is no run in {str(folder)!r}: it has no {JOURNAL}") from None
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error
    content = content[: content.rfind(b"\n") + 1]
    events = tuple(event for line in content.splitlines(keepends=True) if (event := parse_line(line)) is not None)
    return JournalCopy(content=content, events=events)


def run_facts(folder: Path, journal: JournalCopy) -> RunFacts:
    """Return what the index of a run tells.

    Raises:
        NothingToPush: the run never began.
        RunError: the journal does not tell how it began.
    """
    events = journal.events
    begun = _last(events, "run_resumed", "run_started")
    if begun is None:
        raise NothingToPush(f"the run in {str(folder)!r} was left before it began")
    try:
        run = _STARTED.validate_python(begun)
        periods = Periods.parse(run["config"]["data"]["periods"])
        source = run["config"]["data"]["source"]
        own = Known(source=source, start=periods.train.start, end=periods.validation.end)
        told = (_last(events, "earlier") or {"runs": []})["runs"]
        spans = [Known(source=s, start=start, end=end) for each in told for s, start, end in each["knows"]]
    except (ValidationError, ConfigError, LookupError, ValueError, TypeError) as error:
        raise RunError(
            f"the run in {str(folder)!r} does not tell its competition, prices and periods; it is of an early version"
        ) from error
    return RunFacts(
        competition=run["competition"],
        rules=run["rules"],
        assets=tuple(run["assets"]),
        source=own.source,
        periods=periods,
        knows=(own, *spans),
        started=float(events[0]["time"]),
        updated=float(events[-1]["time"]),
        state="finished" if _last(events, "run_finished", "run_extended", kind="run_finished") else "unfinished",
        trials=sum(event["kind"] == "candidate" for event in events),
        usd=sum(event.get("usd") or 0.0 for event in events if event["kind"] in _PAID),
        verdict=_verdict(folder, events),
    )


def _verdict(folder: Path, events: Sequence[Event]) -> VerdictFacts | None:
    told = _last(events, "verdict", "run_extended", kind="verdict")
    if told is None:
        return None
    try:
        return _VERDICT.validate_python({**told, **_lead(folder, str(told.get("best_baseline")))})
    except ValidationError:
        return None


def _lead(folder: Path, baseline: str) -> dict[str, object]:
    """Return the lead over the best baseline as the report has it; nothing where there is no report."""
    path = folder / REPORT
    try:
        if path.stat().st_size > _MAX_REPORT:
            return {}
        lead = strict_json.loads(path.read_bytes())["leads"][baseline]
        return {"lead": lead["mean"], "low": lead["low"], "high": lead["high"]}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _last(events: Sequence[Event], *kinds: str, kind: str | None = None) -> Event | None:
    """Return the last event of one of ``kinds``; None if it is not of ``kind``."""
    found = next((event for event in reversed(events) if event.get("kind") in kinds), None)
    return found if found is None or kind in (None, found["kind"]) else None
