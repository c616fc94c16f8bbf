"""A trainer that costs no time, for everything around training. Workers import it by name."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from synthcity.errors import BundleError, TrialFailed, TrialTimeout

TRAINER = "tests.search.fakes:FakeTrainer"


class FakeTrainer:
    """Scores a config by a known formula; better with every rung.

    ``dataset``: ``seconds`` a rung, ``fail`` (names of heads that fail), ``raise`` (messages by name of head),
    ``slow`` (names of heads whose second rung takes longer than a rung may),
    ``die`` (a file: the first to find it absent creates it and kills its own process), ``log`` (a file that gets one
    line for every rung trained), ``state_bytes`` (how large a state is, about).
    """

    def __init__(
        self,
        config: dict[str, Any],
        dataset: dict[str, Any],
        *,
        seed: int,
        num_rungs: int,
        max_steps: int,
        state: bytes | None = None,
        rung_seconds: float | None = None,
    ) -> None:
        self._config, self._dataset, self._seed = config, dataset, seed
        self._num_rungs, self._max_steps = num_rungs, max_steps
        self._rung_seconds = rung_seconds
        try:
            self.rung = 0 if state is None else json.loads(state)["rung"]
        except ValueError as error:
            raise BundleError(f"a saved training state is damaged or foreign: {error}") from error

    def advance(self) -> dict[str, Any]:
        self._fail_as_told()
        if self.rung and "die" in self._dataset and not Path(self._dataset["die"]).exists():
            Path(self._dataset["die"]).touch()
            os.kill(os.getpid(), 9)
        self.rung += 1
        if "log" in self._dataset:
            with open(self._dataset["log"], "a") as log:
                log.write(f"{_digest(self._config)} {self._seed} {self.rung}\n")
        return {
            "rung": self.rung,
            "score": self.score(),
            "steps": self._max_steps * self.rung // self._num_rungs,
            "train_seconds": self._dataset.get("seconds", 0.0),
            "validation_seconds": 0.0,
            "seconds": self._dataset.get("seconds", 0.0),
            "parameters": 1000,
            "done": self.rung >= self._num_rungs,
        }

    def _fail_as_told(self) -> None:
        time.sleep(self._dataset.get("seconds", 0.0))
        if self._config["head"]["name"] in self._dataset.get("fail", ()):
            raise TrialFailed("the loss became nan")
        if message := self._dataset.get("raise", {}).get(self._config["head"]["name"]):
            raise RuntimeError(message)
        overruns = self.rung and self._config["head"]["name"] in self._dataset.get("slow", ())
        if overruns and self._rung_seconds is not None:
            raise TrialTimeout(f"the training timed out: it took longer than {self._rung_seconds:.3g} s")

    def score(self) -> float:
        rate = self._config["training"]["learning_rate"]
        return 5000.0 + 1e4 * abs(rate - 3e-3) + 100.0 / self.rung + self._seed % 7

    def state(self) -> bytes:
        padding = "x" * self._dataset.get("state_bytes", 0)
        return json.dumps({"rung": self.rung, "padding": padding}).encode()


def _digest(config: dict[str, Any]) -> str:
    """What tells candidates apart, whose seeds are alike."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:12]
