"""Planted bugs: functions that fail as real code does, in the file of the component that is to blame."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch

from synthcity.errors import DataError, TrialFailed
from synthcity.nets.registry import component
from synthcity.search.candidates.candidate import Candidate
from synthcity.search.candidates.space import Space, canonical, config_hash
from synthcity.search.debugger import Consultant, Debugger
from synthcity.search.gate import Gate, GateLimits, Rejected
from synthcity.search.journal.diagnosis import Diagnosis
from synthcity.search.journal.history import TrialHistory
from synthcity.search.trials.trainable import describe_failure

SPACE = Space.from_registry(2)
GATE = Gate(SPACE, lambda config: {"parameters": 1}, GateLimits(max_parameters=10))
Train = Callable[[dict[str, Any]], None]


def within(kind: str, name: str, code: str) -> None:
    """Run a line of code as if it stood in the file of a component."""
    file = inspect.getsourcefile(component(kind, name).cls)
    assert file is not None
    exec(compile(f"def forward():\n    {code}\nforward()", file, "exec"), {"torch": torch})


def block(config: dict[str, Any], name: str) -> dict[str, Any] | None:
    return next((block for block in config["blocks"] if block["name"] == name), None)


def shape(config: dict[str, Any]) -> None:
    if (found := block(config, "wavenet")) and found["skip_channels"] == 64:
        within("block", "wavenet", "torch.ones(2, 64) @ torch.ones(32, 4)")


def dtype(config: dict[str, Any]) -> None:
    if block(config, "mamba"):
        within("block", "mamba", "torch.nn.Linear(2, 2)(torch.ones(2, dtype=torch.float64))")


def divisibility(config: dict[str, Any]) -> None:
    if config["head"] == {"name": "mixture", "num_regimes": 4, "hidden": 32} and config["training"]["num_paths"] == 24:
        raise ValueError("num_paths 18 is no multiple of the 4 regimes")


def nan_loss(config: dict[str, Any]) -> None:
    if config["training"]["learning_rate"] > 1.5e-3:
        raise TrialFailed("the training loss became nan between steps 0 and 375")


def volatility(config: dict[str, Any]) -> None:
    if config["head"].get("innovation") == "normal":
        raise TrialFailed("the training loss became inf between steps 0 and 375")


def argument(config: dict[str, Any]) -> None:
    if (found := block(config, "nbeats")) and found["basis"] == "seasonal":
        within("block", "nbeats", "(lambda *, harmonics: 0)()")


def pairing(config: dict[str, Any]) -> None:
    if config["head"]["name"] == "copula":
        raise ValueError("the head copula needs more than one asset")


def memory(config: dict[str, Any]) -> None:
    if config["training"]["batch_size"] >= 48:
        torch.empty(10**15)


def timeout(config: dict[str, Any]) -> None:
    raise TimeoutError("the rung took longer than 60 s")


def data_gap(config: dict[str, Any]) -> None:
    raise DataError("BTC has no prices between 2025-03-01 and 2025-03-03; import them")


def device(config: dict[str, Any]) -> None:
    if block(config, "gru"):
        text = "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"
        within("block", "gru", f"raise RuntimeError({text!r})")


def author_bug(config: dict[str, Any]) -> None:
    within("block", "tcn", "return levelz")


def obscure(config: dict[str, Any]) -> None:
    if config["history"] != 24:
        raise RuntimeError("the spectrum is degenerate")


class World:
    """A search without Ray: the debugger, the gate, and trials that fail as planted."""

    def __init__(self, train: Train, debugger: Debugger) -> None:
        self.train, self.debugger = train, debugger
        self.history = TrialHistory()
        self.diagnoses: list[Diagnosis] = []

    def start(self, config: dict[str, Any]) -> str:
        """Train a first candidate."""
        chosen = canonical(config)
        index = len(self.history.trials)
        return self.run(Candidate(index=index, source="tpe", config=chosen, hash=config_hash(chosen)))

    def run(self, candidate: Candidate) -> str:
        """Train a candidate to its end."""
        self.tell("candidate", **candidate.to_dict())
        try:
            self.train(dict(candidate.config))
        except Exception as error:  # noqa: BLE001 - as a worker does
            self.tell("trial_finished", id=candidate.id, status="failed", failure=describe_failure(error))
        else:
            figures = {"score": 5000.0, "train_seconds": 1.0, "validation_seconds": 0.1}
            self.tell("rung", id=candidate.id, rung=1, num_rungs=1, **figures)
            self.tell("trial_finished", id=candidate.id, status="completed")
        return candidate.id

    def repair(self) -> int:
        """Let the debugger work until it has nothing to do; return the steps it took."""
        steps = 0
        while (step := self.debugger.next(self.history)) is not None:
            steps += 1
            assert steps < 50, "it loops"
            if isinstance(step, Diagnosis):
                self.diagnoses.append(step)
                self.tell("diagnosis", **step.to_dict())
                continue
            try:
                self.run(GATE.admit(step, "debugger", self.history))
            except Rejected as rejection:
                text = {"stage": rejection.stage, "reason": str(rejection), "config": step.config}
                self.tell("rejected", source="debugger", parent=step.parent, usd=step.usd, **text)
        return steps

    def tell(self, kind: str, **fields: Any) -> None:
        self.history = self.history.after({"kind": kind, "time": float(len(self.history.trials)), **fields})


GBM = {"name": "gbm"}
LSTM = [{"name": "lstm"}]
BIG = {"batch_size": 48}


def world(train: Train, trials: int = 40, consultant: Consultant | None = None) -> World:
    return World(train, Debugger(space=SPACE, gate=GATE, trials=trials, consultant=consultant))


def net(blocks: list[dict[str, Any]] = LSTM, head: dict[str, Any] = GBM, **more: Any) -> dict[str, Any]:
    return {"blocks": blocks, "head": head, **more}


# what is planted, where, and what becomes of it: the repair that works, or the action and cause that stand instead
PLANTED: dict[str, tuple[Train, dict[str, Any], str, str]] = {
    "shape": (
        shape,
        net([{"name": "wavenet", "skip_channels": 64}]),
        "repaired",
        "blocks.0.skip_channels 64 to 32",
    ),
    "dtype": (dtype, net([*LSTM, {"name": "mamba"}]), "repaired", "without blocks.1 (mamba)"),
    "divisibility": (
        divisibility,
        net(head={"name": "mixture", "num_regimes": 4}),
        "repaired",
        "head.num_regimes 4 to 3",
    ),
    "nan": (
        nan_loss,
        net(training={"learning_rate": 4e-3}),
        "repaired",
        "training.learning_rate 0.004 to 0.001",
    ),
    "explosion": (volatility, net(head={"name": "gbm", "innovation": "normal"}), "repaired", "normal to student"),
    "argument": (argument, net([{"name": "nbeats", "basis": "seasonal"}]), "repaired", "seasonal to generic"),
    "pairing": (pairing, net(head={"name": "copula"}), "repaired", "head.name copula to gbm"),
    "memory": (memory, net(training=BIG), "limit", "memory"),
    "time": (timeout, net(), "limit", "time"),
    "data": (data_gap, net(), "leave", "data"),
    "device": (device, net([{"name": "gru"}, *LSTM]), "repaired", "without blocks.0 (gru)"),
    "author": (author_bug, net([{"name": "tcn"}]), "leave", "program"),
}
