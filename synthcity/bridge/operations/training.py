"""What trains networks: each is a command of its own in a process of its own."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field

from synthcity.bridge.jobs import board
from synthcity.bridge.jobs.telling import JobTold, told
from synthcity.bridge.operation import Answer, Asked, Input, Operation

MOST_STEPS, MOST_TRIALS, MOST_SECONDS = 100_000, 1000, 14 * 86_400
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,40}$")]  # so that no module:Name of a caller's is imported


class Long(Input):
    """What all long operations take."""

    idempotency_key: str | None = Field(
        None, min_length=1, max_length=200, pattern="^[!-~]+$", description="The same key starts a job once."
    )


class Quick(Long):
    """A first look."""

    blocks: list[Name] = Field([], max_length=4, description="Blocks, first to last.")
    head: Name | None = Field(None, description="What makes paths; gbm by default.")
    seed: int | None = Field(None, ge=0, lt=2**62, description="Of weights, batches and paths.")


def start(asked: Asked[Any], action: str, arguments: list[str], secrets: tuple[str, ...] = ()) -> Answer:
    """Start ``synthcity ACTION ARGUMENTS`` in a run folder of its own."""
    where = ["--set", "name={run}", "--set", f"output={json.dumps('{runs}')}"]
    job = board.start(
        asked.place,
        asked.bot,
        action,
        asked.given.model_dump(mode="json", exclude={"idempotency_key"}),
        [action, *arguments, *where],
        key=asked.given.idempotency_key,
        secrets_needed=secrets,
    )
    return told(asked.place, job)


def _network(blocks: list[str], head: str | None) -> list[str]:
    return [*(["--blocks", ",".join(blocks)] if blocks else []), *(["--head", head] if head else [])]


def _quick(asked: Asked[Quick]) -> Answer:
    given = asked.given
    seed = [] if given.seed is None else ["--seed", str(given.seed)]
    return start(asked, "quick", [*_network(given.blocks, given.head), *seed])


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        name="quick",
        about="Train and judge a small network on a simulated market, in a minute or two.",
        route="/quick/run",
        takes=Quick,
        gives=JobTold,
        act=_quick,
        writes=True,
        long=True,
    ),
)
