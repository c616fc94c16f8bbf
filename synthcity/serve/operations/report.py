"""How a miner stands, in a file of its state folder: ``synthcity mine status`` reads what the miner wrote."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from synthcity.errors import ConfigError, RunError
from synthcity.market.times import format_duration
from synthcity.serve.admission.presence import is_present
from synthcity.serve.answering.metrics import REFUSALS
from synthcity.serve.operations.alarms import Alarm, Severity
from synthcity.serve.operations.recording import Recorded
from synthcity.serve.operations.view import View

STATUS, LOCK = "status.json", "miner"
SILENT_SECONDS = 60.0
"""A miner writes every few seconds; one whose last words are older hangs."""


class Verdict(StrEnum):
    """The whole in one word; ``EXIT_CODES`` are those of Nagios and its kin."""

    FINE = "fine"
    WARNING = "warning"
    CRITICAL = "critical"
    STOPPED = "stopped"


EXIT_CODES: Mapping[Verdict, int] = {Verdict.FINE: 0, Verdict.WARNING: 1, Verdict.CRITICAL: 2, Verdict.STOPPED: 3}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What is told of one look.

    Attributes:
        verdict: the worst of its alarms; ``STOPPED`` where no miner runs.
        written_at, started_at: unix seconds.
        metrics: address of the metrics, "" without any.
        answered, fallbacks, refused: prompts so far by asset; ``refusals`` are the latter by reason.
        price_ages: seconds by asset, None without any price.
        averages: rolling average by competition.
        recorded: what the feed holds of each asset, minute by minute.
    """

    verdict: Verdict
    title: str = ""
    written_at: float = 0.0
    started_at: float = 0.0
    pid: int = 0
    metrics: str = ""
    last_answered_at: float | None = None
    answered: Mapping[str, int] = field(default_factory=dict)
    fallbacks: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    price_ages: Mapping[str, float | None] = field(default_factory=dict)
    averages: Mapping[str, float] = field(default_factory=dict)
    num_settled: int = 0
    num_pending: int = 0
    ledger_bytes: int | None = None
    disk_free: int | None = None
    recorded: tuple[Recorded, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, view: View, metrics: str = "") -> Report:
        """What is told of a view."""
        facts = view.facts
        return cls(
            verdict=Verdict(view.severity) if view.severity else Verdict.FINE,
            title=facts.title,
            written_at=facts.now,
            started_at=facts.started_at,
            pid=os.getpid(),
            metrics=metrics,
            last_answered_at=facts.status.last_answered_at,
            answered=facts.status.answered,
            fallbacks=facts.status.fallbacks,
            refused=facts.status.refused,
            refusals=facts.status.figures.by(REFUSALS, "reason"),
            price_ages={asset: None if math.isinf(age) else round(age, 1) for asset, age in facts.ages.items()},
            averages={one.competition: one.average for one in facts.settled.standings},
            num_settled=facts.settled.num_settled,
            num_pending=facts.settled.num_pending,
            ledger_bytes=facts.surroundings.ledger_bytes,
            disk_free=facts.surroundings.disk_free,
            recorded=facts.recorded,
            alarms=view.alarms,
            notes=view.notes,
        )

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), allow_nan=False, indent=2)


def read_report(state: Path, now: float | None = None) -> Report:
    """Return how the miner with this state folder stands.

    Raises:
        ConfigError: there is no such folder, or no miner ever used it.
        RunError: its file is damaged.
    """
    now = time.time() if now is None else now
    if not (state / f"{LOCK}.lock").exists():
        raise ConfigError(f"{state} is no --state folder of a miner; name one, or start `synthcity mine run`")
    is_running, path = is_present(state, LOCK), state / STATUS
    try:
        report = _parse(json.loads(path.read_bytes()))
    except FileNotFoundError:
        if not is_running:
            return _stopped(Report(verdict=Verdict.STOPPED), "no miner runs here, and none has told anything")
        nothing = Report(verdict=Verdict.WARNING)
        return _with(nothing, "starting", Severity.WARNING, "the miner starts and has not told anything yet")
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise RunError(
            f"{path} does not say how the miner stands ({error}); it is written again by the next"
        ) from error
    ago = now - report.written_at
    if not is_running:
        return _stopped(report, f"no miner runs here; the last one told of itself {format_duration(round(ago))} ago")
    if ago > SILENT_SECONDS:
        text = f"the miner hangs: it told nothing for {format_duration(round(ago))}; end it and start it again"
        return _with(report, "hangs", Severity.CRITICAL, text)
    return report


def _with(report: Report, name: str, severity: Severity, text: str) -> Report:
    alarms = (Alarm(name=name, severity=severity, text=text), *report.alarms)
    return replace(report, verdict=Verdict(severity), alarms=alarms)


def _stopped(report: Report, text: str) -> Report:
    alarm = Alarm(name="stopped", severity=Severity.CRITICAL, text=text)
    return replace(report, verdict=Verdict.STOPPED, alarms=(alarm,))


def _parse(data: dict[str, Any]) -> Report:
    alarms = tuple(
        Alarm(name=str(one["name"]), severity=Severity(one["severity"]), text=str(one["text"]))
        for one in data.pop("alarms")
    )
    notes = tuple(map(str, data.pop("notes")))
    recorded = tuple(Recorded(**one) for one in data.pop("recorded", ()))
    report = Report(**{**data, "verdict": Verdict(data["verdict"])}, recorded=recorded, alarms=alarms, notes=notes)
    if not isinstance(report.written_at, int | float) or not math.isfinite(report.written_at):
        raise ValueError("written_at is no time")
    return report
