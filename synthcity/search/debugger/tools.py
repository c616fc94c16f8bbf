"""What the debugging agent may do: look, and try a patch on the gate. None of it changes anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict

from synthcity.agents.prompts.components import describe_components
from synthcity.agents.tools import tool
from synthcity.errors import ConfigError, unknown_name
from synthcity.search.arms import DEBUGGER
from synthcity.search.candidates.candidate import Proposal
from synthcity.search.candidates.space import Space
from synthcity.search.debugger.patch import apply, describe
from synthcity.search.gate import Gate, Rejected
from synthcity.search.journal.diagnosis import MODEL, Patch
from synthcity.search.journal.history import TrialHistory, TrialRecord
from synthcity.search.journal.standings import extent

_SIMILAR = 8
MAX_CHANGES = 3
CHANGES: Mapping[str, object] = {
    "type": "array",
    "maxItems": MAX_CHANGES,
    "items": {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "such as training.learning_rate, blocks.0.name or blocks.1"},
            "value": {"type": ["string", "number", "boolean", "null"]},
        },
        "required": ["path", "value"],
        "additionalProperties": False,
    },
}


class Change(TypedDict):
    """One entry of ``CHANGES``."""

    path: str
    value: str | float | bool | None


@dataclass(frozen=True, kw_only=True)
class Case:
    """One failed trial with what its tools may look at.

    ``lineage``: the trials whose repair it is, oldest first, and itself. ``refused``: patches that the gate refused.
    """

    record: TrialRecord
    lineage: tuple[TrialRecord, ...]
    refused: tuple[str, ...]
    history: TrialHistory
    space: Space
    gate: Gate

    @classmethod
    def of(cls, record: TrialRecord, history: TrialHistory, space: Space, gate: Gate) -> Case:
        """Put together what is known of a failed trial."""
        rejected = [r for r in history.rejections if r.source == DEBUGGER and r.parent == record.candidate.id]
        return cls(
            record=record,
            lineage=lineage_of(record, history),
            refused=tuple(f"{r.config}: {r.reason}" for r in rejected),
            history=history,
            space=space,
            gate=gate,
        )

    def patched(self, changes: Sequence[Change], reason: str) -> Proposal:
        """Return the proposal that a patch makes.

        Raises:
            ConfigError: it changes nothing that may be changed.
            Rejected: the gate's cheap checks refuse it.
        """
        wanted = {change["path"]: change["value"] for change in changes}
        config = self.record.candidate.config
        proposal = Proposal(
            config=apply(config, wanted),
            rationale=str(Patch(reason, MODEL, describe(config, wanted))),
            parent=self.record.candidate.id,
        )
        self.gate.screen(proposal, self.history)
        return proposal


def lineage_of(record: TrialRecord, history: TrialHistory) -> tuple[TrialRecord, ...]:
    """Return the trials of whose repairs this is one, oldest first, and itself."""
    chain = [record]
    while chain[0].candidate.source == DEBUGGER:
        chain.insert(0, history.trials[str(chain[0].candidate.parent)])
    return tuple(chain)


@tool("debugger")
def try_patch(context: Case, changes: Annotated[list[Any], CHANGES]) -> str:
    """Ask the gate whether it would take a patch of the failed configuration; nothing is trained.

    Args:
        changes: the changed values, each with its path.
    """
    try:
        context.patched(changes, "a patch")
    except (ConfigError, Rejected) as error:
        return f"refused: {error}"
    return "the gate would take it"


@tool("debugger")
def read_component(context: Case, kind: Literal["block", "head"], name: str) -> str:
    """Read what a block or head does, and its parameters with their ranges.

    Args:
        kind: which table.
        name: of the component.
    """
    table = context.space.describe()[f"{kind}s"]
    if name not in table:
        return unknown_name(kind, name, table)
    return describe_components({f"{kind}s": {name: table[name]}})


@tool("debugger")
def similar_trials(context: Case) -> str:
    """List the trials nearest to the failed one with how they ended: what works shows what does not."""
    config = context.record.candidate.config

    def distance(record: TrialRecord) -> float:
        try:
            return context.space.distance(config, record.candidate.config)
        except ValueError:  # a hand-written candidate may lie outside the sampled space
            return 1.0

    others = [record for record in context.history.finished if record is not context.record]
    lines = []
    for record in sorted(others, key=distance)[:_SIMILAR]:
        message = record.failure["message"] if record.failure else record.reason
        part = extent(record) and f" after {extent(record)}"
        how = f"score {record.score:.1f}{part}" if record.score is not None else message
        lines.append(f"{record.candidate.id} {record.status}, {how}: {json.dumps(record.candidate.config)}")
    return "\n".join(lines) or "there are no others yet"
