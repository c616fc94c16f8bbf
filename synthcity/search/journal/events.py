"""The events of a journal: every kind with its fields; ``check`` holds those written and those read to them.

An event is a plain mapping with its ``kind``, the ``time`` of a wall clock (unix seconds, for people), and, for
counting, the ``session`` (from 1, one a process that opened the journal) and its ``clock`` (seconds since it began, by
a clock that never jumps). Journals of earlier versions lack the last two. Fields beyond those named here are kept.
Scores are in basis points, lower is better; money is in USD.
"""

from __future__ import annotations

from typing import Literal, NotRequired

from synthcity.search.journal.parts import EarlierRun, Failure, Network, Place, ProposalTold, RunTold, Told
from synthcity.search.journal.surroundings import (
    ForecastersTold,
    InputsTold,
    MachinesTold,
    NodeLost,
    Published,
    Researched,
    ResearchTold,
    RunExtended,
    RunInterrupted,
    Sealed,
    SpentTold,
    TuneLost,
    WorkerDied,
)

VERSION = 3  # 1 had no version, sessions and clocks
COMMON_NOISE = 3  # the first version whose trials are validated with common random numbers, not with their own seed's


class RunStarted(RunTold):
    """The search began."""

    kind: Literal["run_started"]


class RunResumed(RunTold):
    """It goes on."""

    kind: Literal["run_resumed"]


class Degraded(Told):
    """Something is not as it was or should be; ``note`` is a sentence for the report."""

    kind: Literal["degraded"]
    note: str
    cut: NotRequired[bool]  # to the time budget
    lost: NotRequired[bool]  # a network that was trained
    tracking: NotRequired[bool]  # a tracker lacks something


class Stage(Told):
    """What the run does now."""

    kind: Literal["stage"]
    name: str
    message: str


class Earlier(Told):
    """What the search was told of earlier runs."""

    kind: Literal["earlier"]
    runs: list[EarlierRun]


class Baselines(Told):
    """Scores of the baselines on the validation prompts; by asset and hour those of the best."""

    kind: Literal["baselines"]
    scores: dict[str, float]
    by_asset: NotRequired[dict[str, float]]
    by_hour: NotRequired[dict[str, float]]
    seconds: NotRequired[float]


class CandidateTold(Told):
    """The gate admitted a candidate."""

    kind: Literal["candidate"]
    id: str
    index: int
    source: str
    parent: NotRequired[str | None]
    rationale: NotRequired[str]
    hash: str
    config: Network
    usd: NotRequired[float]
    step_seconds: NotRequired[float | None]  # of a training, as the gate timed it
    arms: NotRequired[dict[str, str]]


class RejectedTold(Told):
    """The gate refused a proposal."""

    kind: Literal["rejected"]
    source: str
    stage: str
    reason: str
    config: dict[str, object]
    parent: NotRequired[str | None]
    usd: NotRequired[float]
    step_seconds: NotRequired[float | None]


class ProposerFailed(Told):
    """A proposer raised an error."""

    kind: Literal["proposer_failed"]
    source: str
    error: str


class Answered(Told):
    """What one question to a language model brought, before any of it is handed out."""

    kind: Literal["answered"]
    source: str
    question: NotRequired[int]
    proposals: list[ProposalTold]
    usd: float
    error: str


class ArmTold(Told):
    """An arm is open, resting or closed."""

    kind: Literal["arm_state"]
    source: str
    state: Literal["open", "resting", "closed"]
    reason: str


class TrialStarted(Told):
    """A worker begins, at ``from_rung`` (0 when new)."""

    kind: Literal["trial_started"]
    id: str
    from_rung: NotRequired[int]


class RungTold(Told):
    """A rung was trained and validated: ``rung_score`` is its own score, ``score`` the best so far.

    ``blocks`` hold the mean score and the weight of each block of validation days, the same blocks for every trial, so
    that trials can be compared in pairs; ``train_loss`` is the mean over the rung's steps. Rungs of earlier versions,
    and of trainers that do not tell, lack them. ``scores_by_...`` are those of the rung itself: by asset, by part of
    the score (which add up to it), and by the first of the six hours (UTC) in which a window begins. ``isolation``:
    what held its process, on a CPU, where a model wrote a part. ``usd``, ``gpu_seconds``: what rent and GPUs took.
    """

    kind: Literal["rung"]
    id: str
    rung: int
    num_rungs: int
    score: float
    rung_score: NotRequired[float]
    scores_by_asset: NotRequired[dict[str, float]]
    scores_by_interval: NotRequired[dict[str, float]]
    scores_by_hour: NotRequired[dict[str, float]]
    train_loss: NotRequired[float]
    blocks: NotRequired[list[list[float]]]
    steps: NotRequired[int]
    seconds: NotRequired[float]
    train_seconds: NotRequired[float]
    validation_seconds: NotRequired[float]
    validation_paths: NotRequired[int]
    parameters: NotRequired[int]
    isolation: NotRequired[str]
    usd: NotRequired[float]
    gpu_seconds: NotRequired[float]


class CheckpointTold(Told):
    """Where the state of a trial lies, below the run's storage."""

    kind: Literal["checkpoint"]
    id: str
    path: str


class TrialFinished(Told):
    """A trial ended."""

    kind: Literal["trial_finished"]
    id: str
    status: Literal["completed", "stopped", "failed"]
    score: NotRequired[float | None]
    reason: NotRequired[str]
    failure: NotRequired[Failure | None]


class Stall(Told):
    """How the search meets a stall; see ``proposers.stall``."""

    kind: Literal["stall"]
    level: int
    since: int
    noise: float | None


class DiagnosisTold(Told):
    """The end of the work on a failed trial; see ``diagnosis``."""

    kind: Literal["diagnosis"]
    id: str
    fingerprint: str
    cause: str
    action: Literal["limit", "leave"]
    by: str
    reason: str
    usd: float


class Authored(Told):
    """A component that a language model wrote is admitted."""

    kind: Literal["authored"]
    component: Literal["block", "head"]
    name: str
    sha256: str
    file: str


class AuthorRefused(Told):
    """One is refused."""

    kind: Literal["author_refused"]
    stage: str
    reason: str
    sha256: str
    file: str


class AuthorEnded(Told):
    """One work of the author ended; ``admitted`` names its component."""

    kind: Literal["author_ended"]
    work: int
    status: str
    reason: str
    admitted: str | None
    turns: NotRequired[int]
    usd: NotRequired[float]


class SearchFinished(Told):
    """No trial will come any more."""

    kind: Literal["search_finished"]
    utilisation: float | None


class Contenders(Told):
    """The trials that go into the finals, and where the state of each lies below the run's storage.

    Told again where one was lost: the finals are then held again, and what was told of them before is void.
    """

    kind: Literal["contenders"]
    ids: list[str]
    checkpoints: NotRequired[dict[str, str]]


class FinalistTold(Told):
    """A contender's score on fresh validation prompts; ``id`` is None for a mix or baseline."""

    kind: Literal["finalist"]
    name: str
    id: str | None
    score: float


class MixTold(Told):
    """The weights that were fitted on the search's prompts.

    ``gains``: by contender the mix's difference to it in percent and its noise, by weights of other folds.
    """

    kind: Literal["mix"]
    members: list[str]
    weights: list[float]
    gains: NotRequired[dict[str, list[float]]]


class Chosen(Told):
    """What is frozen, and the best contender, network and baseline; ``why`` says it in a sentence.

    ``estimates``: by finalist its difference to ``incumbent`` in percent and its noise, see ``finals.ranking``;
    ``stays``: whether nothing that the search found is better than what it began with.
    """

    kind: Literal["chosen"]
    name: str
    challenger: str | None
    best_single: str | None
    best_baseline: str
    why: NotRequired[str]
    incumbent: NotRequired[str | None]
    estimates: NotRequired[dict[str, list[float]]]
    stays: NotRequired[bool]
    seconds_per_score: NotRequired[float]


class RefitTold(Told):
    """A chosen network was trained once more; ``state`` is its file in the run folder."""

    kind: Literal["refit"]
    id: str
    copy: int
    steps: int
    seconds: float
    state: str


class Winner(Told):
    """The bundle is frozen."""

    kind: Literal["winner"]
    name: str
    bundle: NotRequired[str]


class SeenTest(Told):
    """The test period was looked at; ``scores`` and ``diagnostics`` are files in the run folder.

    ``num_dropped`` prompts were not scored; ``lost`` counts by reason those of them that a forecaster could not answer.
    """

    kind: Literal["test_scored"]
    scores: str
    diagnostics: str
    num_prompts: int
    num_dropped: int
    lost: NotRequired[dict[str, int]]


class EarningsTold(Told):
    """What the frozen winner would have earned on the network's own prompts, or the ``reason`` why that is unknown."""

    kind: Literal["earnings"]
    place: Place | None
    reason: str


class VerdictTold(Told):
    """See ``finals.verdict``."""

    kind: Literal["verdict"]
    sentence: str
    proven: bool
    proven_against: dict[str, bool]
    winner: str
    winner_is_baseline: bool
    challenger: str | None
    best_baseline: str


class RunFinished(Told):
    """The report is written."""

    kind: Literal["run_finished"]
    winner: str


OfTrial = TrialStarted | RungTold | CheckpointTold | WorkerDied | NodeLost | TrialFinished | DiagnosisTold
Trouble = RunInterrupted | ProposerFailed | WorkerDied | NodeLost | TuneLost | ArmTold | AuthorEnded | Degraded
OfFinals = (
    SearchFinished | Contenders | MixTold | FinalistTold | Chosen | Winner | SeenTest | EarningsTold | VerdictTold
    | Sealed | RunFinished
)  # fmt: skip
Event = (
    RunStarted | RunResumed | RunExtended | Stage | MachinesTold | SpentTold | Earlier | InputsTold | ForecastersTold
    | Baselines | ResearchTold | Researched
    | CandidateTold | RejectedTold | Answered | Stall | Authored | AuthorRefused | RefitTold | OfTrial | Trouble
    | OfFinals | Published
)  # fmt: skip
