"""The time that a run has used and what its machines cost in it, by session, on a clock that does not jump.

Pauses between sessions cost nothing. Journals of earlier versions have wall times alone. There a session begins with
the event that announces it, and the word of its interruption does not lengthen it: it may come from a resume that
failed hours later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from synthcity.search.journal.events import Event

_HOUR = 3600.0
_WORK = ("trial_started", "rung", "trial_finished")


@dataclass(frozen=True, kw_only=True)
class Session:
    """One process that worked on the run; ``begin`` and ``end`` are unix seconds of its first and last event.

    ``seconds`` is how long it has lasted, ``work`` when in it the first trial began and the last event of one came.
    """

    number: int
    begin: float
    end: float
    seconds: float = 0.0
    work: tuple[float, float] | None = None
    announced: bool = False

    def after(self, event: Event) -> Session:
        """Return the session one event of it later."""
        seconds = max(self.seconds, event.get("clock", event["time"] - self.begin))
        work = self.work
        if event["kind"] in _WORK:
            work = (seconds if work is None else work[0], seconds)
        return Session(
            number=self.number,
            begin=self.begin,
            end=max(self.end, event["time"]),
            seconds=seconds,
            work=work,
            announced=self.announced or event["kind"] in ("run_started", "run_resumed"),
        )


def passed(before: tuple[Session, ...], after: tuple[Session, ...]) -> float:
    """Return the seconds that one event has added."""
    if not after:
        return 0.0
    goes_on = bool(before) and before[-1].number == after[-1].number
    return after[-1].seconds - (before[-1].seconds if goes_on else 0.0)


def counted(sessions: tuple[Session, ...], event: Event) -> tuple[Session, ...]:
    """Return ``sessions`` one event later."""
    number = event.get("session")
    if number is None:
        if event["kind"] in ("run_started", "run_resumed"):
            number = len(sessions) + 1
        elif not sessions or event["kind"] == "run_interrupted":
            return sessions
        else:
            number = sessions[-1].number
    if not sessions or sessions[-1].number != number:
        sessions = (*sessions, Session(number=number, begin=event["time"], end=event["time"]))
    return (*sessions[:-1], sessions[-1].after(event))


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Money and GPU hours of all machines while the run had them, working or not.

    ``machines``, ``gpus`` and ``usd_per_hour`` are those of now. Where the cluster has a ledger ``usd`` and
    ``gpu_hours`` are what it says was spent between its first and last word in each session, on machines that boot or
    idle, too; else they are those of the machines that were nodes, by the prices that they told. ``before`` is the
    ledger's last word, USD and GPU hours of the cluster's life.
    """

    usd: float = 0.0
    gpu_hours: float = 0.0
    machines: int = 1
    gpus: float = 0.0
    usd_per_hour: float = 0.0
    is_ledger: bool = False
    before: tuple[float, float] | None = None

    def after(self, event: Event, seconds: float) -> Cost:
        """Return the cost one event later, ``seconds`` after the one before it."""
        if event["kind"] == "run_started" or event["kind"] == "run_resumed":
            # of machines nothing is told yet
            return Cost(usd=self.usd, gpu_hours=self.gpu_hours, is_ledger=self.is_ledger)
        if event["kind"] == "spent":
            return self._told((event["cluster_usd"], event["cluster_gpu_hours"]))
        if event["kind"] != "machines" and not self.usd_per_hour and not self.gpus:
            return self
        hours = 0.0 if self.before is not None else seconds / _HOUR
        spent = replace(self, usd=self.usd + hours * self.usd_per_hour, gpu_hours=self.gpu_hours + hours * self.gpus)
        if event["kind"] != "machines":
            return spent
        return replace(spent, machines=event["machines"], gpus=event["gpus"], usd_per_hour=event["usd_per_hour"])

    def _told(self, told: tuple[float, float]) -> Cost:
        """Return the cost by the ledger; what it takes back, since a machine never came, is taken back here."""
        usd, hours = (after - before for after, before in zip(told, self.before or told, strict=True))
        return replace(self, usd=self.usd + usd, gpu_hours=self.gpu_hours + hours, is_ledger=True, before=told)
