"""What ``report.json`` holds: everything a finished search has to tell; ``report.html`` is drawn from it alone.

Scores are in basis points, lower is better. Leads and relative scores are 100 (score - baseline) / baseline, in
percent, negative when better. Times are unix seconds, elapsed times seconds of searching.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from synthcity.forecast.evaluation.diagnostics import DiagnosticsTold
from synthcity.forecast.evaluation.regimes import GroupRow, GroupsTold
from synthcity.search.candidates.candidate import Config
from synthcity.search.finals.verdict import LeadTable, ScoreRow, Verdict
from synthcity.search.journal.parts import FoundTold, InputTold, Place
from synthcity.search.proposers.arm_table import ArmRow
from synthcity.search.report.findings.importance import ImportanceRow
from synthcity.search.report.findings.lanes import LaneRow
from synthcity.search.report.findings.money import PayRow
from synthcity.search.report.findings.parameters import ParameterRow
from synthcity.search.report.price import PriceTold
from synthcity.search.report.repairs import LimitRow, RepairRow

SCHEMA = 4


class TrialRow(TypedDict):
    """One candidate's fate; ``curve`` lists (steps, validation score) by rung, ``relative`` is on validation."""

    id: str
    source: str
    parent: str | None
    rationale: str
    architecture: str
    config: Config
    state: str
    rung: int
    num_rungs: int
    score: float | None
    relative: float | None
    whole: NotRequired[float | None]  # the same as if all networks had been trained to the end, the mean of its seeds
    seconds: float
    parameters: int | None
    elapsed: float | None
    usd: NotRequired[float]  # of rented machines
    gpu_hours: NotRequired[float]
    curve: list[tuple[int, float]]


class FailureGroup(TypedDict):
    """Trials that failed for the same cause, with the traceback of the first."""

    cause: str
    message: str
    trials: list[str]
    traceback: str


class RejectionGroup(TypedDict):
    """Candidates refused at one stage of the gate; ``examples`` holds some of them, each for another reason."""

    stage: str
    count: int
    sources: dict[str, int]
    examples: list[RejectionExample]


class RejectionExample(TypedDict):
    """One refused candidate."""

    reason: str
    config: object


class FinalRow(TypedDict):
    """One contender of the finals; ``score`` is on fresh validation prompts, ``weight`` its part of the mix.

    ``frozen``: whether it was chosen and stands in the bundle.
    """

    name: str
    kind: str
    frozen: bool
    score: float
    relative: float | None  # percent against the best baseline on the same prompts
    weight: float | None


class RunFacts(TypedDict):
    """Where the run came from and what it cost; ``looks`` counts those at the test period, ``usd`` is for models."""

    name: str
    competition: str
    rules: str
    assets: list[str]
    venues: list[str]
    is_simulated: bool
    is_over: NotRequired[bool]  # whether there is a verdict; a page may be drawn before
    seed: int | None
    command: str
    started: float
    finished: float
    sessions: int
    seconds: float
    usd: NotRequired[float]
    time_budget: float | None
    workers: int
    utilisation: float | None
    price: NotRequired[PriceTold]
    num_prompts: int
    prompts: NotRequired[dict[str, int]]  # by asset
    looks: int
    first_prompt: int | None
    last_prompt: int | None


class Report(TypedDict):
    """The whole of ``report.json``; ``rule`` is by which the winner is chosen, ``choice`` how it came out."""

    schema: int
    run: RunFacts
    verdict: Verdict
    scores: list[ScoreRow]
    leads: dict[str, LeadTable]
    pay: NotRequired[list[PayRow]]  # were these the only miners
    horizons: NotRequired[list[GroupRow]]  # the lead over the best baseline by what is scored
    lanes: NotRequired[list[LaneRow]]  # who trained when
    losses: NotRequired[dict[str, list[tuple[int, float]]]]  # (steps, training loss) of each trial, by rung
    importance: NotRequired[list[ImportanceRow]]  # which choices moved the score
    parameters: NotRequired[list[ParameterRow]]  # what the trials varied, those that moved it most first
    rule: str
    choice: str
    mixed: NotRequired[str]  # what the mix gains over the best single network on the test period, in a sentence
    earnings: NotRequired[str]  # what the winner would have earned, or why that is unknown, in a sentence
    place: NotRequired[Place | None]  # the same in numbers
    inputs: NotRequired[str]  # what of the user's library is used, and its part in the mix, in a sentence
    kept_inputs: NotRequired[list[InputTold]]  # the same as data, with the digests
    research: NotRequired[str]  # what research beside the trials found, and its part in the mix
    found: NotRequired[list[FoundTold]]  # the same as data
    cuts: list[str]  # what the time budget cost, a sentence each
    tracking: NotRequired[list[str]]  # what trackers lack, a sentence each
    finals: list[FinalRow]
    validation_baselines: dict[str, float]
    arms: list[ArmRow]
    trials: list[TrialRow]
    best_trial: NotRequired[str | None]  # of the network that is ahead, by the mean of its seeds
    failures: list[FailureGroup]
    repairs: list[RepairRow]
    limits: list[LimitRow]
    rejections: list[RejectionGroup]
    diagnostics: DiagnosticsTold | None
    groups: GroupsTold | None
    periods: Mapping[str, object]
    config: Mapping[str, object]
    versions: Mapping[str, str]
    warnings: list[str]
