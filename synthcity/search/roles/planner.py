"""The planner: looks at what was tried and proposes what to try next; the gate says what of it may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthcity.agents.prompts.components import describe_components
from synthcity.agents.tools import tool
from synthcity.search.candidates.contract import proposals_schema
from synthcity.search.proposers.briefing import briefing
from synthcity.search.proposers.budget_card import budget_card
from synthcity.search.proposers.earlier import describe
from synthcity.search.roles.desk import Desk
from synthcity.search.roles.role import Role

_COUNT = 3


@tool("planner", "trainer")
def list_components(context: Desk) -> str:
    """Describe the blocks, heads and shared parameters that a candidate may have, with types, ranges and defaults."""
    return describe_components(context.space.describe())


@tool("planner", "checker")
def check_candidate(context: Desk, config: dict[str, Any]) -> str:
    """Let the gate judge a candidate: schema, ranges, repeats, size, and one tiny training step.

    Args:
        config: the whole config, with blocks, head and training.
    """
    return context.judge(config)


@tool("planner", "trainer", "checker")
def read_result(context: Desk, trial: str) -> dict[str, Any]:
    """Read what came of a trial: config, scores in basis points, seconds, failure.

    Args:
        trial: its id, such as c0003.
    """
    return context.result(trial)


def _values(desk: Desk) -> dict[str, str]:
    desk.check_known()
    history, usd = desk.history, sum(answer.usd for answer in desk.history.answers)
    card = budget_card(desk.config.search, history, caps=desk.config.llm.caps, usd=usd)
    earlier = describe(desk.earlier)
    return briefing(
        desk.space, history, task=desk.task(), budget=card, rule=desk.rules(), count=_COUNT, earlier=earlier
    )


def _finish(desk: Desk) -> Mapping[str, Any]:
    return proposals_schema(desk.space, _COUNT)


def _measured(desk: Desk, result: Mapping[str, Any]) -> list[str]:
    answers = enumerate(result["proposals"], start=1)
    return [f"proposal {number}: {desk.judge(answer['config'])}" for number, answer in answers]


ROLE = Role(
    name="planner",
    prompt="planner-alone",
    message="Propose the next experiments.",
    values=_values,
    finish=_finish,
    measured=_measured,
)
