"""Parts that events have in common with others: the start of a session, a network, a failure, a proposal."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class Told(TypedDict):
    """What every event has."""

    time: float
    session: NotRequired[int]
    clock: NotRequired[float]


class RunTold(Told):
    """What the start of a session tells; ``fingerprint`` is of the prices, see ``search.fingerprint``."""

    name: NotRequired[str]
    competition: NotRequired[str]
    rules: NotRequired[str]
    assets: NotRequired[list[str]]
    trials: NotRequired[int]
    time_budget: NotRequired[float | None]
    workers: int
    gpus: NotRequired[float]
    machine: NotRequired[str]  # tells one from another, and nothing else about it
    command: NotRequired[str]
    versions: NotRequired[dict[str, str]]
    config: NotRequired[dict[str, object]]
    version: NotRequired[int]
    fingerprint: NotRequired[dict[str, dict[str, str]]]


class Component(TypedDict):
    """A block or head with its options, which are not listed here."""

    name: str


class Network(TypedDict):
    """The part of a candidate's config that a journal is read for; the rest is kept."""

    blocks: list[Component]
    head: Component


Failure = TypedDict("Failure", {"class": str, "message": str, "traceback": str})  # of a trial


class InputTold(TypedDict):
    """An input or a forecaster of the user's library.

    ``made_by`` is "recipe", the grammar, or what a language model wrote, "feature" or "forecaster".
    """

    name: str
    made_by: str
    sha256: str


class FoundTold(InputTold):
    """What research beside the trials kept: who found it, and its claim on the last part of the train period.

    ``mean``, ``low`` and ``high`` are in percent, minus is better; a bound is None where there were too few days.
    """

    arm: str
    mean: float
    low: float | None
    high: float | None
    confidence: float
    prompts: int


Span = list[str | int]  # source of prices, start and end in unix seconds


class EarlierBest(TypedDict):
    """A good candidate of an earlier run, and its score against that run's best baseline in percent."""

    config: Network
    lead: float | None


class EarlierRun(TypedDict):
    """What is told of an earlier run; ``knows``: source, start and end of all prices that it chose on."""

    name: str
    trials: int
    best: list[EarlierBest]
    insights: list[str]
    knows: list[Span]


class ProposalTold(TypedDict):
    """One proposal of a language model."""

    config: dict[str, object]
    rationale: NotRequired[str]
    parent: NotRequired[str | None]
    usd: NotRequired[float]


class Place(TypedDict):
    """Where a forecaster would have stood among the real miners of a competition.

    ``average``, ``best`` and ``median`` are rolling averages, ours and the others'; ``share`` is of the competition's
    pay; ranges are 95 % intervals, None where there are too few days. ``lost`` prompts count for nobody.
    """

    competition: str
    days: int
    rank: int
    miners: int
    average: float
    best: float
    median: float
    share: float
    rank_range: list[float] | None
    average_range: list[float] | None
    share_range: list[float] | None
    prompts: int
    lost: int
