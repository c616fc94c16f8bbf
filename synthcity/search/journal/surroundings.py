"""Events from around a search: its machines, which there are and which were lost; its seal, and where it went."""

from __future__ import annotations

from typing import Literal

from synthcity.search.journal.parts import Told


class MachinesTold(Told):
    """What machines with room for trials there are from now on.

    ``usd_per_hour`` is what all machines cost, a head without room too; 0 for one's own.
    """

    kind: Literal["machines"]
    machines: int
    gpus: float
    usd_per_hour: float


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
