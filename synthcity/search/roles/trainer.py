"""The trainer: trains candidates for a few steps and reports what came of them; the record is the result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from synthcity.agents.loop import SUMMARY
from synthcity.agents.tools import tool
from synthcity.search.roles import planner  # noqa: F401 - registers its tools
from synthcity.search.roles.context import RoleContext
from synthcity.search.roles.role import Finished, Role

_MOST_STEPS = 200


@tool("trainer")
def train_candidate(
    context: RoleContext, config: dict[str, Any], steps: Annotated[int, {"minimum": 1, "maximum": _MOST_STEPS}] = 50
) -> dict[str, object]:
    """Train a candidate on the training period and score it on validation prompts.

    Args:
        config: what differs from the defaults; blocks and head at least, as {"blocks": [{"name": ...}], "head": {...}}.
        steps: gradient steps.
    """
    return context.train(config, steps)


def _values(context: RoleContext) -> dict[str, str]:
    return {"task": context.task(), "rules": context.rules(), "budget": f"At most {_MOST_STEPS} steps a training."}


def _finish(context: RoleContext) -> Mapping[str, object]:
    return SUMMARY


def _measured(context: RoleContext, result: Finished) -> list[str]:
    own = [record for record in context.history.records if record.candidate.source == "agent"]
    lines = []
    for record in own:
        cause = f": {record.failure['message']}" if record.failure else ""
        said = f"{record.status}{cause}" if record.score is None else f"{record.score:.1f} bp"
        lines.append(f"{record.candidate.id} {record.candidate.architecture}: {said}, {record.seconds:.0f} s")
    return lines or ["nothing was trained"]


ROLE = Role(
    name="trainer",
    prompt="trainer",
    message="List the components, train one small candidate for 50 steps and report its score.",
    values=_values,
    finish=_finish,
    measured=_measured,
)
