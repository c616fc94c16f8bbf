"""A trainer that sleeps, for :mod:`benchmarks.scaling`. Workers import it by name, and no torch with it."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Mapping
from typing import Any

TRAINER = "benchmarks.sleeper:Sleeper"
BLOCKS = 15  # of validation days, as a search of two months tells them
STATE_BYTES = 200_000  # of a small network


class Sleeper:
    """Sleeps a rung, and scores a network by its learning rate and some noise of its own.

    ``dataset``: ``seconds`` a rung.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        dataset: Mapping[str, float],
        *,
        seed: int,
        num_rungs: int,
        max_steps: int,
        state: bytes | None = None,
        rung_seconds: float | None = None,
    ) -> None:
        self._seconds, self._num_rungs, self._max_steps = dataset["seconds"], num_rungs, max_steps
        self.rung = 0 if state is None else json.loads(state[: state.index(b"\n")])["rung"]
        digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).digest()
        noise = random.Random(digest + bytes([seed % 256])).gauss(0.0, 10.0)
        self._score = 5000.0 + 1e4 * abs(config["training"]["learning_rate"] - 3e-3) + noise

    def advance(self) -> dict[str, Any]:
        begin = time.monotonic()
        time.sleep(self._seconds)
        self.rung += 1
        score = self._score + 20.0 / self.rung
        return {
            "rung": self.rung,
            "score": score,
            "rung_score": score,
            "blocks": [[score + day / 7, 1.0] for day in range(BLOCKS)],
            "steps": self._max_steps * self.rung // self._num_rungs,
            "train_seconds": time.monotonic() - begin,
            "validation_seconds": 0.0,
            "seconds": time.monotonic() - begin,
            "parameters": 20_000,
            "done": self.rung >= self._num_rungs,
        }

    def state(self) -> bytes:
        return json.dumps({"rung": self.rung}).encode() + b"\n" + bytes(STATE_BYTES)
