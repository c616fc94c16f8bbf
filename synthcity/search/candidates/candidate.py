"""What a proposer says, and what it becomes once the gate has let it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synthcity.search.arms import RERUN
from synthcity.wording import chain

# A network as plain nested data. Any, since what an option may be is known to its component alone, and components
# come from outside; ``NetConfig.from_dict`` is where a config is held to it.
Config = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A network that a proposer would like to see tried.

    ``config`` is the plain nested data that ``NetConfig.from_dict`` reads, ``rationale`` one line for the report,
    ``parent`` the id of the candidate it was derived from, ``usd`` what it cost to think of it.
    """

    config: Config
    rationale: str = ""
    parent: str | None = None
    usd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An admitted proposal: canonical config, numbered in the order of admission.

    ``usd`` is what it cost to think of it, ``step_seconds`` what a training step took at the gate, where it was timed;
    ``arms`` holds the state of every arm when it was admitted, so that a search
    whose language model was away can never pass for one that had it.
    """

    index: int
    source: str
    config: Config
    hash: str
    parent: str | None = None
    rationale: str = ""
    usd: float = 0.0
    step_seconds: float | None = None
    arms: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Name in every record; stays the same when the search is resumed."""
        return f"c{self.index:04d}"

    @property
    def origin(self) -> str:
        """Who proposed it, for people; of a known network's next seed which trial it repeats, as in "c0003 again"."""
        return f"{self.parent} again" if self.source == RERUN else self.source

    @property
    def architecture(self) -> str:
        """Blocks and head in one short line, e.g. ``lstm+tcn>gbm``."""
        blocks = (block["name"] for block in self.config.get("blocks", ()))
        return chain(blocks, self.config.get("head", {}).get("name", "?"))

    def to_dict(self) -> dict[str, object]:
        """Return plain data for the journal."""
        return {
            "id": self.id,
            "index": self.index,
            "source": self.source,
            "parent": self.parent,
            "rationale": self.rationale,
            "usd": self.usd,
            "step_seconds": self.step_seconds,
            "arms": dict(self.arms),
            "architecture": self.architecture,
            "hash": self.hash,
            "config": self.config,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Candidate:
        """Read what :meth:`to_dict` wrote."""
        names = ("index", "source", "config", "hash", "parent", "rationale", "usd", "step_seconds", "arms")
        return cls(**{name: data[name] for name in names if name in data})
