"""The checker: explains what came of a run or a trial; gate and verdict decide, whatever it says."""

from __future__ import annotations

from collections.abc import Mapping

from synthcity.agents.prompts.components import describe_components
from synthcity.agents.tools import tool
from synthcity.search.journal.events import VerdictTold
from synthcity.search.journal.standings import extent
from synthcity.search.roles import planner  # noqa: F401 - registers check_candidate and read_result
from synthcity.search.roles.context import RoleContext
from synthcity.search.roles.role import Finished, Role

PROVEN, NOT_PROVEN, UNFINISHED = "proven", "not proven", "no verdict"


@tool("checker")
def list_trials(context: RoleContext) -> list[dict[str, object]]:
    """List all trials with status and score, best first, those without a score last; rung says how far each came."""
    scored = context.history.scored
    rest = [record for record in context.history.records if record.score is None]
    rows = ((r.candidate.id, r.candidate.architecture, r.status, extent(r), r.score) for r in (*scored, *rest))
    return [dict(zip(("id", "architecture", "status", "rung", "score"), row, strict=True)) for row in rows]


@tool("checker")
def read_verdict(context: RoleContext) -> dict[str, object]:
    """Read the verdict of the run's one look at the test period, and the baselines' scores on validation."""
    verdict = context.last(VerdictTold)
    return {"verdict": verdict, "baselines_on_validation": dict(context.history.baselines)}


def decided(context: RoleContext) -> tuple[str, str]:
    """Return the run's own verdict as one of the three words, and its sentence."""
    verdict = context.last(VerdictTold)
    if verdict is None:
        return UNFINISHED, "the run has no verdict yet"
    return PROVEN if verdict["proven"] else NOT_PROVEN, str(verdict["sentence"])


def _values(context: RoleContext) -> dict[str, str]:
    return {"rules": context.rules(), "components": describe_components(context.space.describe())}


def _finish(context: RoleContext) -> Mapping[str, object]:
    return {
        "type": "object",
        "properties": {
            "verdict": {"enum": [PROVEN, NOT_PROVEN, UNFINISHED], "description": "as you read it from your tools"},
            "explanation": {"type": "string", "maxLength": 4_000},
        },
        "required": ["verdict", "explanation"],
        "additionalProperties": False,
    }


def _measured(context: RoleContext, result: Finished) -> list[str]:
    word, sentence = decided(context)
    lines = [f"{word}: {sentence}"]
    if result["verdict"] != word:
        lines.append(f"the model said {result['verdict']!r}; what was measured holds")
    return lines


ROLE = Role(
    name="checker",
    prompt="checker",
    message="Read the run's trials and its verdict, and explain what came of it and why.",
    values=_values,
    finish=_finish,
    measured=_measured,
)
