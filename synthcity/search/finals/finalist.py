"""A trained network on its way to the workers: its state as bytes, rebuilt where it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from synthcity.errors import BundleError, RunError
from synthcity.forecast.forecaster import Paths
from synthcity.market.bars import History, Prices
from synthcity.nets.authored.code import codes_of, install
from synthcity.nets.forecaster import Inputs, NetForecaster
from synthcity.nets.state import parse
from synthcity.search.journal.history import TrialRecord
from synthcity.search.trials.trainable import located, read_state
from synthcity.sn50.prompt import Prompt


class Finalist:
    """A ``Forecaster`` named after its candidate. Pickles as bytes, which a network itself cannot.

    ``code``: of its components that a language model wrote, as ``codes_of`` gives it. ``inputs``: those of the library
    that networks of its run may have been trained with.
    """

    def __init__(
        self, name: str, state: bytes, code: Sequence[Mapping[str, str]] = (), inputs: Inputs | None = None
    ) -> None:
        self.name = name
        self._state = state
        self._code = tuple(code)
        self._inputs = inputs

    @classmethod
    def from_checkpoint(cls, record: TrialRecord, path: str, storage: str, inputs: Inputs | None = None) -> Finalist:
        """Take the best network of a trial from its checkpoint at ``path`` below ``storage``.

        Raises:
            BundleError: the checkpoint is gone or damaged.
            RunError: the storage does not answer.
        """
        checkpoint = located(path, storage)
        told = f"the checkpoint {checkpoint.path} of trial {record.id}"
        try:
            return cls.from_state(record, read_state(checkpoint), inputs)
        except BundleError as error:
            raise BundleError(f"{told} is lost ({error})") from error
        except OSError as error:
            why = error.strerror or error
            raise RunError(f"{told} cannot be read ({why}); mend the storage and continue with --resume") from error

    @classmethod
    def from_state(cls, record: TrialRecord, state: bytes, inputs: Inputs | None = None) -> Finalist:
        """Take the best network out of what a trainer saved.

        Raises:
            BundleError: the bytes are damaged.
        """
        parse(state)
        return cls(record.id, state, codes_of(record.candidate.config), inputs)

    @cached_property
    def _net(self) -> NetForecaster:
        install(self._code)
        return NetForecaster.from_state(self._state, self._inputs)

    def __getstate__(self) -> dict[str, object]:
        return {"name": self.name, "_state": self._state, "_code": self._code, "_inputs": self._inputs}

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
