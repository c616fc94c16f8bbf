"""The planner: looks at what was tried and proposes what to try next; the gate says what of it may be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthcity.agents.prompts.components import describe_components
from synthcity.agents.tools import tool
from synthcity.errors import SynthcityError
from synthcity.history.lessons import lessons
from synthcity.history.sources import read
from synthcity.search.candidates.contract import proposals_schema
from synthcity.search.proposers.briefing import briefing
from synthcity.search.proposers.budget_card import budget_card
from synthcity.search.proposers.earlier import describe
from synthcity.search.roles.context import RoleContext
from synthcity.search.roles.role import Finished, Role

_COUNT = 3


@tool("planner", "trainer")
def list_components(context: RoleContext) -> str:
    """Describe the blocks, heads and shared parameters that a candidate may have, with types, ranges and defaults."""
    return describe_components(context.space.describe())


@tool("planner", "checker")
def check_candidate(context: RoleContext, config: dict[str, Any]) -> str:
    """Let the gate judge a candidate: schema, ranges, repeats, size, and one tiny training step.

    Args:
        config: the whole config, with blocks, head and training.
    """
    return context.judge(config)


@tool("planner", "trainer", "checker")
def read_result(context: RoleContext, trial: str) -> dict[str, object]:
    """Read what came of a trial: config, scores in basis points, seconds, failure.

    Args:
        trial: its id, such as c0003.
    """
    return context.result(trial)


@tool("planner")
def list_past_runs(context: RoleContext) -> list[str]:
    """List what past runs of this competition came to: their leads on their own test periods, and what was frozen."""
    config, troubles = context.config, list[str]()
    rows = list(read("local", runs=Path(config.output)).rows)
    if config.vault:
        known = {(row.name, int(row.began)) for row in rows}
        try:
            stored = read("hippius", runs=Path(config.output), vault=config.vault).rows
            rows += [row for row in stored if (row.name, int(row.began)) not in known]
        except SynthcityError as error:
            troubles.append(f"(those of the vault are not told: {error})")
    told = lessons(
        rows,
        competition=config.competition,
        is_simulated=config.data.source == "simulated",
        before=config.data.periods.test.start,
    )
    return told + troubles


def _values(context: RoleContext) -> dict[str, str]:
    context.check_known()
    history, usd = context.history, sum(answer.usd for answer in context.history.answers)
    card = budget_card(context.config.search, history, caps=context.config.llm.caps, usd=usd)
    earlier = describe(context.earlier)
    return briefing(
        context.space, history, task=context.task(), budget=card, rule=context.rules(), count=_COUNT, earlier=earlier
    )


def _finish(context: RoleContext) -> Mapping[str, object]:
    return proposals_schema(context.space, _COUNT)


def _measured(context: RoleContext, result: Finished) -> list[str]:
    answers = enumerate(result["proposals"], start=1)
    return [f"proposal {number}: {context.judge(answer['config'])}" for number, answer in answers]


ROLE = Role(
    name="planner",
    prompt="planner-alone",
    message="Propose the next experiments.",
    values=_values,
    finish=_finish,
    measured=_measured,
)
