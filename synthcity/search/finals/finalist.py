"""A trained network on its way to the workers: its state as bytes, rebuilt where it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from synthcity.errors import RunError
from synthcity.forecast.forecaster import Paths
from synthcity.market.bars import History, Prices
from synthcity.nets.authored.code import codes_of, install
from synthcity.nets.forecaster import NetForecaster
from synthcity.search.journal.history import TrialRecord
from synthcity.search.trials.trainable import located, read_state
from synthcity.sn50.prompt import Prompt


class Finalist:
    """A ``Forecaster`` named after its candidate. Pickles as bytes, which a network itself cannot.

    ``code``: of its components that a language model wrote, as ``codes_of`` gives it.
    """

    def __init__(self, name: str, state: bytes, code: Sequence[Mapping[str, str]] = ()) -> None:
        self.name = name
        self._state = state
        self._code = tuple(code)

    @classmethod
    def from_record(cls, record: TrialRecord, storage: str) -> Finalist:
        """Take the best network of a trial from its last checkpoint, below ``storage``.

        Raises:
            RunError: the checkpoint is gone.
        """
        name = record.candidate.id
        if record.checkpoint is None:
            raise RunError(f"trial {name} has a score but no checkpoint in the journal")
        try:
            state = read_state(located(record.checkpoint, storage))
        except OSError as error:
            raise RunError(f"the checkpoint {record.checkpoint} of trial {name} is gone") from error
        return cls(name, state, codes_of(record.candidate.config))

    @cached_property
    def _net(self) -> NetForecaster:
        install(self._code)
        return NetForecaster.from_state(self._state)

    def __getstate__(self) -> dict[str, Any]:
        return {"name": self.name, "_state": self._state, "_code": self._code}

    def simulate(self, history: Prices, prompt: Prompt, *, seed: int | None = None) -> Paths:
        """Return the network's paths."""
        return self._net.simulate(history, prompt, seed=seed)

    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Paths]:
        """Return the network's paths, prompt by prompt."""
        return self._net.simulate_many(history, prompts, seed=seed)

    def simulate_quantised(
        self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None
    ) -> list[Paths]:
        """Return the network's quantised paths, prompt by prompt."""
        return self._net.simulate_quantised(history, prompts, seed=seed)

    def save(
        self, folder: Path, *, metrics: Mapping[str, Any] | None = None, manifest: Mapping[str, Any] | None = None
    ) -> None:
        """Write the network's own bundle."""
        self._net.save(folder, metrics=metrics, manifest=manifest)
