"""Events of the machines that a search runs on: which there are, and which were lost."""

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
