"""What is shown of a miner: its facts, the alarms that they raise, and what was decided."""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthcity.serve.operations.alarms import Alarm, Severity, raised
from synthcity.serve.operations.facts import Facts


@dataclass(frozen=True, kw_only=True)
class View:
    """One look at a miner; ``notes`` tell decisions, a sentence each."""

    facts: Facts
    alarms: tuple[Alarm, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, facts: Facts, *notes: str) -> View:
        """What these facts and decisions look like."""
        return cls(facts=facts, alarms=raised(facts), notes=notes)

    @property
    def news(self) -> frozenset[str]:
        """What is told, without its numbers: those change from look to look."""
        alarms = (f"{one.name} {one.severity} {one.text}" for one in self.alarms)
        return frozenset(re.sub(r"\d+", "#", text) for text in (*alarms, *self.notes))

    @property
    def severity(self) -> Severity | None:
        """Of the worst alarm; None where there is none."""
        return self.alarms[0].severity if self.alarms else None
