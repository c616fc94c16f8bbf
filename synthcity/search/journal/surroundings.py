"""Events from around a search: ends of sessions, kept inputs, machines that are there or lost, its seal, its places."""

from __future__ import annotations

from typing import Literal, NotRequired

from synthcity.search.journal.parts import FoundTold, InputTold, Told


class RunInterrupted(Told):
    """A session ended before the run did; ``exit_code`` is its command's, of which Ray makes 1 in a job."""

    kind: Literal["run_interrupted"]
    reason: str
    exit_code: NotRequired[int]


class RunExtended(Told):
    """A run whose search was over gets more trials or time; its finals are held again."""

    kind: Literal["run_extended"]
    trials: int
    looks: int  # at the test period, so far


class InputsTold(Told):
    """The inputs of the user's library that are used, none or more, and the forecaster that knows them.

    ``seconds``: that learning them took; ``networks``: whether networks are told what they say.
    """

    kind: Literal["inputs"]
    forecaster: str
    inputs: list[InputTold]
    seconds: NotRequired[float]
    networks: NotRequired[bool]


class ForecastersTold(Told):
    """The forecasters of the user's library that are used, none or more; ``seconds`` that asking them took."""

    kind: Literal["forecasters"]
    forecasters: list[InputTold]
    seconds: float


class ResearchTold(Told):
    """Research beside the trials has come so far."""

    kind: Literal["research"]
    text: str


class Researched(Told):
    """What came of research beside the trials, told once.

    ``found`` is what was kept, ``inputs`` are those of it and of the library that were learned together,
    ``forecasters`` those that answered every prompt of the search. ``usd``: what a language model cost.
    """

    kind: Literal["researched"]
    sentence: str
    found: list[FoundTold]
    inputs: list[str]
    forecasters: list[str]
    seconds: float
    usd: float


class MachinesTold(Told):
    """What machines with room for trials there are from now on.

    ``usd_per_hour`` is what all machines cost, a head without room too; 0 for one's own.
    """

    kind: Literal["machines"]
    machines: int
    gpus: float
    usd_per_hour: float


class SpentTold(Told):
    """What the cluster has cost in its life by its ledger, machines that boot or idle included; USD and GPU hours."""

    kind: Literal["spent"]
    cluster_usd: float
    cluster_gpu_hours: float


class WorkerDied(Told):
    """The worker of a trial was lost, on a machine that is still there."""

    kind: Literal["worker_died"]
    id: str


class NodeLost(Told):
    """A trial lost its machine; that says nothing of its candidate."""

    kind: Literal["node_lost"]
    id: str


class TuneLost(Told):
    """Tune's loop broke and was started afresh."""

    kind: Literal["tune_lost"]
    error: str


class Sealed(Told):
    """The report is written: ``files`` of the run folder by sha256, and a digest of all events before this one."""

    kind: Literal["sealed"]
    files: dict[str, str]
    journal: str


class Published(Told):
    """What was proven is elsewhere, and was found there whole; ``where`` is a repository or a store."""

    kind: Literal["published"]
    to: Literal["hub", "hippius"]
    where: str
    commit: str  # or the key of what was stored
    bundle: str  # sha256 of its manifest
    public: bool
