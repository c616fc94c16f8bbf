"""What deserves an operator's attention: one alarm, one function of the facts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from synthcity.durations import DAY
from synthcity.market.times import format_duration, format_time
from synthcity.serve.answering.answer_ledger import Fallback
from synthcity.serve.answering.metrics import ANSWERS, REFUSALS, UNRECORDED
from synthcity.serve.operations.facts import Facts

AXON = "Simulation"
SILENT_SECONDS = 300.0
"""The network asks several times a minute: so long without a prompt means that nobody reaches us, or wants to."""

PUBLISHED_SECONDS = 600.0
"""How long the chain may take to show an address that was published."""

STALE_SECONDS, REFUSED_SECONDS = 180.0, 1800.0
CLOCK_WARNING_SECONDS, CLOCK_CRITICAL_SECONDS = 2.0, 5.0
FALLBACK_WARNING, FALLBACK_CRITICAL, FEWEST_ANSWERS = 0.2, 0.5, 10
DISK_WARNING_BYTES, DISK_CRITICAL_BYTES = 5 * 2**30, 2**30
LEDGER_WARNING = 0.8
CALENDAR_WARNING_SECONDS = 14 * DAY
_TIMES = ("old", "ahead")
_STRANGERS = ("stake", "permit", "unregistered", "source")
_FORGED = ("signature", "receiver", "unsigned", "version", "replay")
_WORST = ("door", "chain", "replicas")
FEWEST_REFUSALS = 5


class Severity(StrEnum):
    """How bad it is: answers or scores will be lost unless somebody looks, or are being lost now."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """What is wrong, and what to do, in one sentence."""

    name: str
    severity: Severity
    text: str


Found = Iterator[tuple[Severity, str]]


def _silence(facts: Facts) -> Found:
    """Nobody asks."""
    quiet = facts.now - max(facts.started_at, facts.status.last_answered_at or 0.0)
    if quiet > SILENT_SECONDS:
        place = facts.surroundings
        reach = ""
        if place.unreachable is not None:
            answers = f"does not answer ({place.unreachable})" if place.unreachable else "answers"
            reach = f"; from here {place.published} {answers}"
        told = f"no prompt was answered for {format_duration(round(quiet))}{reach}"
        yield Severity.CRITICAL, f"{told}; open the port in every firewall, and see what is refused"


def _address(facts: Facts) -> Found:
    """The chain sends validators elsewhere."""
    place = facts.surroundings
    if place.on_chain is None or facts.now - facts.started_at < PUBLISHED_SECONDS:
        return
    if place.published is not None and place.on_chain != place.published:
        yield Severity.CRITICAL, f"the chain says {place.on_chain}, not {place.published}: validators ask there"
    elif place.published is None and place.on_chain.startswith("0.0.0.0:"):
        yield Severity.CRITICAL, "the chain holds no address of ours: nobody can ask; start with --publish IP:PORT"


def _prices(facts: Facts) -> Found:
    """Prices are old."""
    for limit, severity, so in (
        (REFUSED_SECONDS, Severity.CRITICAL, "prompts are refused"),
        (STALE_SECONDS, Severity.WARNING, "paths start from an old price"),
    ):
        next_limit = math.inf if severity is Severity.CRITICAL else REFUSED_SECONDS
        old = {asset: age for asset, age in facts.ages.items() if limit < age <= next_limit}
        if old:
            told = ", ".join(f"{asset} {'none' if math.isinf(age) else _age(age)}" for asset, age in old.items())
            yield severity, f"no fresh price: {told}; {so}"


def _venues(facts: Facts) -> Found:
    """Nobody follows a venue any more."""
    for sentence in facts.troubles.get("venues", ()):
        yield Severity.CRITICAL, sentence


def _clock(facts: Facts) -> Found:
    """Our clock is wrong."""
    offset = facts.surroundings.clock_offset
    if offset is not None and abs(offset) - 0.5 > CLOCK_WARNING_SECONDS:
        severity = Severity.CRITICAL if abs(offset) - 0.5 > CLOCK_CRITICAL_SECONDS else Severity.WARNING
        side = "ahead of" if offset > 0 else "behind"
        yield severity, f"our clock is {abs(offset):.0f} s {side} {facts.surroundings.clock_url}; set it (NTP)"


def _refusals(facts: Facts) -> Found:
    """Validators ask and are refused."""
    refused = facts.recent.by(REFUSALS, "reason", route=AXON)
    answered = sum(facts.recent.by(ANSWERS, "asset", route=AXON).values())
    over = f"in the last {format_duration(round(facts.window_seconds))}" if facts.window_seconds else "so far"
    for reasons, why in (
        (_TIMES, "for their time: our clock is wrong, or theirs"),
        (_STRANGERS, "for stake, permit or registration: is the snapshot of the chain old?"),
        (_FORGED, "for their signature: do they ask another hotkey?"),
    ):
        count = sum(refused.get(reason, 0) for reason in reasons)
        if count >= FEWEST_REFUSALS and count > answered:
            told = ", ".join(f"{name} {refused[name]}" for name in reasons if name in refused)
            severity = Severity.WARNING if answered else Severity.CRITICAL
            yield severity, f"{count} requests were refused {over} {why} ({told}; {answered} were answered)"
    lost = {name: refused[name] for name in ("no_answer", "busy", "disk", "no_snapshot") if refused.get(name)}
    if lost:
        told = ", ".join(f"{name} {count}" for name, count in lost.items())
        yield Severity.CRITICAL, f"{sum(lost.values())} prompts of validators got no answer {over} ({told})"


def _fallback(facts: Facts) -> Found:
    """The model does not answer."""
    by = facts.recent.by(ANSWERS, "fallback", route=AXON)
    asked = sum(by.values()) - by.get(Fallback.FOREIGN, 0)
    instead = {name: count for name, count in by.items() if name not in ("none", Fallback.FOREIGN)}
    share = sum(instead.values()) / asked if asked >= FEWEST_ANSWERS else 0.0
    if share > FALLBACK_WARNING:
        told = ", ".join(f"{name} {count}" for name, count in sorted(instead.items()))
        severity = Severity.CRITICAL if share > FALLBACK_CRITICAL else Severity.WARNING
        yield severity, f"the fallback answered {100 * share:.0f} % of {asked} prompts in place of the model ({told})"


def _disk(facts: Facts) -> Found:
    """The disk fills up."""
    free = facts.surroundings.disk_free
    if free is not None and free < DISK_WARNING_BYTES:
        severity = Severity.CRITICAL if free < DISK_CRITICAL_BYTES else Severity.WARNING
        yield severity, f"the disk of the state folder has {free / 2**30:.1f} GiB left; make room"


def _ledger(facts: Facts) -> Found:
    """The ledger comes to its quota, or lacks answers."""
    held, quota = facts.surroundings.ledger_bytes, facts.surroundings.ledger_quota
    if held is not None and quota and held > LEDGER_WARNING * quota:
        severity = Severity.CRITICAL if held >= quota else Severity.WARNING
        told = f"the ledger takes {held / 1e9:.1f} of its {quota / 1e9:.1f} GB; beyond that nothing is recorded"
        yield severity, f"{told}: settle what waits, or raise --ledger-quota"
    lost = facts.recent.by(UNRECORDED, "reason")
    if lost:
        told = ", ".join(f"{name} {count}" for name, count in sorted(lost.items()))
        yield Severity.WARNING, f"{sum(lost.values())} answers are not in the ledger ({told})"


def _calendar(facts: Facts) -> Found:
    """Soon the chief releases are not all known to come."""
    place = facts.surroundings
    if place.calendar_problem:
        yield Severity.WARNING, place.calendar_problem
    elif place.calendar_end is not None and place.calendar_end - facts.now < CALENDAR_WARNING_SECONDS:
        ended = "ended" if place.calendar_end < facts.now else "ends"
        on = f"{ended} on {format_time(place.calendar_end)[:10]}" if place.calendar_end else "lacks one of them"
        told = f"the calendar of consumer prices, jobs and FOMC meetings {on}, and forecasts do not know all that come"
        yield Severity.WARNING, f"{told}; extend it by `synthcity data calendar --update`"


def _troubles(facts: Facts) -> Found:
    """Whatever the parts of the miner say themselves."""
    for where, sentences in facts.troubles.items():
        severity = Severity.CRITICAL if where in _WORST else Severity.WARNING
        for sentence in sentences if where != "venues" else ():
            yield severity, sentence


ALARMS: dict[str, Callable[[Facts], Found]] = {
    "silence": _silence,
    "address": _address,
    "prices": _prices,
    "venues": _venues,
    "clock": _clock,
    "refusals": _refusals,
    "fallback": _fallback,
    "disk": _disk,
    "ledger": _ledger,
    "calendar": _calendar,
    "troubles": _troubles,
}


def raised(facts: Facts) -> tuple[Alarm, ...]:
    """Return what is wrong, the worst first."""
    found = [
        Alarm(name=name, severity=severity, text=text)
        for name, alarm in ALARMS.items()
        for severity, text in alarm(facts)
    ]
    return tuple(sorted(found, key=lambda alarm: alarm.severity is not Severity.CRITICAL))


def _age(seconds: float) -> str:
    return f"{format_duration(round(seconds))} old"
