"""What a run's machines have cost: a fold of its events, by the session's clock."""

from __future__ import annotations

from dataclasses import dataclass, replace

from synthcity.search.journal.events import Event

_HOUR = 3600.0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Money and GPU hours of all machines while the run had them, working or not.

    ``machines``, ``gpus`` and ``usd_per_hour`` are those of now. What a machine cost before the first and after the
    last event of a session is not in it: its own account is the market's.
    """

    usd: float = 0.0
    gpu_hours: float = 0.0
    machines: int = 1
    gpus: float = 0.0
    usd_per_hour: float = 0.0

    def after(self, event: Event, seconds: float) -> Cost:
        """Return the cost one event later, ``seconds`` after the one before it."""
        if event["kind"] == "run_started" or event["kind"] == "run_resumed":
            return Cost(usd=self.usd, gpu_hours=self.gpu_hours)  # of machines nothing is told yet
        if event["kind"] != "machines" and not self.usd_per_hour and not self.gpus:
            return self
        hours = seconds / _HOUR
        spent = replace(self, usd=self.usd + hours * self.usd_per_hour, gpu_hours=self.gpu_hours + hours * self.gpus)
        if event["kind"] != "machines":
            return spent
        return replace(spent, machines=event["machines"], gpus=event["gpus"], usd_per_hour=event["usd_per_hour"])
