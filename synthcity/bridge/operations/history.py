"""Past runs: lists, trends, and one run more closely."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from synthcity.bridge.operation import Answer, Asked, Input, Operation, Refused
from synthcity.errors import RunError
from synthcity.history.listing import Listing
from synthcity.history.row import Row
from synthcity.history.sources import HUB, find, read
from synthcity.history.telling import plain_listing, plain_row, plain_trend
from synthcity.history.trends import trend

Source = Literal["local", "hippius", "trackio", "hub"]


class LeadTold(TypedDict):
    """A lead in percent over a baseline, minus is better, with its 95 % interval."""

    against: str
    mean: float
    low: float | None
    high: float | None


class RunTold(TypedDict):
    """One run; ``crps`` is its score on its own test prompts, ``lead`` what compares."""

    id: str
    name: str
    created_at: str
    competition: str
    periods: dict[str, list[str]]
    crps: float | None
    lead: LeadTold | None
    verdict: str
    winner: str
    trials: int
    cost_usd: float
    simulated: bool
    open: bool


class Runs(TypedDict):
    """Runs in an order; ``left_out`` counts what could not be read, by why."""

    source: str
    total: int
    order: str
    runs: list[RunTold]
    left_out: dict[str, int]


class Moment(RunTold):
    """A run of a trend with the best proven one so far."""

    running_best_lead: float | None
    running_best_crps: float | None


class Trends(TypedDict):
    """How the best proven lead of one competition moved; ``improvement`` is in points of percent."""

    source: str
    competition: str
    simulated: bool
    total_runs: int
    timeline: list[Moment]
    best_run: str | None
    best_lead: float | None
    best_crps: float | None
    latest_crps: float | None
    improvement: float | None
    left_out: dict[str, int]


class Where(Input):
    """Whose runs."""

    source: Source = Field("local", description="This machine, the vault, Trackio, or the Hugging Face Hub.")
    competition: str | None = Field(None, max_length=40, description="Runs of this competition alone.")


class Listed(Where):
    """Which of them."""

    order: Literal["best", "recent", "worst"] = Field("best", description="What comes first.")
    limit: int = Field(20, ge=1, le=1000, description="Runs shown.")


class OneRun(Input):
    """Which run."""

    id: str = Field(min_length=1, max_length=200, description="Its id, its name, or latest.", examples=["latest"])
    source: Source = Field("local", description="Where it lies.")


def _history(asked: Asked[Listed]) -> Answer:
    given = asked.given
    listing = _listing(asked, given.source).of(given.competition)
    return plain_listing(listing, given.order, listing.ordered(given.order)[: given.limit])


def _trends(asked: Asked[Where]) -> Answer:
    listing = _listing(asked, asked.given.source).of(asked.given.competition)
    return plain_trend(listing, trend(listing.rows, asked.given.competition))


def _run(asked: Asked[OneRun]) -> Answer:
    return plain_row(row_of(asked, asked.given.id, asked.given.source))


def row_of(asked: Asked[Any], run: str, source: str = "local") -> Row:
    """Return one run of the bot's.

    Raises:
        Refused: there is none.
    """
    try:
        return find(_listing(asked, source), run)
    except RunError as error:
        raise Refused(str(error), 404) from None


def folder_of(asked: Asked[Any], run: str) -> Path:
    """Return the folder of a local run of the bot's; what the name holds cannot lead out of it."""
    return asked.place.runs_of(asked.bot) / row_of(asked, run).id


def _listing(asked: Asked[Any], source: str) -> Listing:
    if source != HUB:
        return read(source, runs=asked.place.runs_of(asked.bot), vault=asked.place.vault)
    from synthcity.publish.listing import list_hub
    from synthcity.publish.remote import Remote
    from synthcity.settings import Settings

    return list_hub(Remote.of(Settings.load()))


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        name="history",
        about="List past runs, the best proven lead first.",
        route="/history/runs",
        takes=Listed,
        gives=Runs,
        act=_history,
        also={
            "/history/experiments": {"order": "recent"},
            "/history/trackio": {"source": "trackio"},
            "/hf/models": {"source": "hub"},
        },
    ),
    Operation(
        name="trends",
        about="Follow the best proven lead of a competition over time.",
        route="/history/trends",
        takes=Where,
        gives=Trends,
        act=_trends,
    ),
    Operation(
        name="show",
        about="Say what one run found: its verdict, its lead and what it cost.",
        route="/history/run/{id:path}",
        takes=OneRun,
        gives=RunTold,
        act=_run,
    ),
)
