"""Hand-written candidates: the same first trials for every search, before any sampler speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np
import yaml

from synthcity.errors import ConfigError
from synthcity.search.candidate import Config, Proposal
from synthcity.search.history import History


def packaged_candidates() -> list[tuple[str, Config]]:
    """Read ``nets/candidates/*.yaml`` in the order of their names: (file name, config).

    Raises:
        ConfigError: a file is no YAML mapping.
    """
    folder = resources.files("synthcity.nets").joinpath("candidates")
    found: list[tuple[str, Config]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not entry.name.endswith(".yaml"):
            continue
        try:
            config: Any = yaml.safe_load(entry.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise ConfigError(f"the packaged candidate {entry.name} is no valid YAML") from error
        if not isinstance(config, Mapping):
            raise ConfigError(f"the packaged candidate {entry.name} must hold keys and values")
        found.append((entry.name.removesuffix(".yaml"), config))
    return found


class DefaultsProposer:
    """Proposes a fixed list once, in order; where it stands follows from the history."""

    name = "defaults"

    def __init__(self, candidates: Sequence[tuple[str, Config]] | None = None) -> None:
        self._candidates = packaged_candidates() if candidates is None else list(candidates)

    def propose(self, count: int, history: History, rng: np.random.Generator) -> list[Proposal]:
        """Return the next ``count`` of the list, none once all were proposed."""
        first = history.proposals(self.name)
        return [
            Proposal(config=config, rationale=f"hand-written: {name}")
            for name, config in self._candidates[first : first + count]
        ]
