"""What a proposer says, and what it becomes once the gate has let it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Config = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A network that a proposer would like to see tried.

    ``config`` is the plain nested data that ``NetConfig.from_dict`` reads, ``rationale`` one line for the report,
    ``parent`` the id of the candidate it was derived from.
    """

    config: Config
    rationale: str = ""
    parent: str | None = None


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An admitted proposal: canonical config, numbered in the order of admission."""

    index: int
    source: str
    config: Config
    hash: str
    parent: str | None = None
    rationale: str = ""

    @property
    def id(self) -> str:
        """Name in every record; stays the same when the search is resumed."""
        return f"c{self.index:04d}"

    @property
    def architecture(self) -> str:
        """Blocks and head in one short line, e.g. ``lstm+tcn>gbm``."""
        blocks = "+".join(block["name"] for block in self.config.get("blocks", ()))
        return f"{blocks or 'none'}>{self.config.get('head', {}).get('name', '?')}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the journal."""
        return {
            "id": self.id,
            "index": self.index,
            "source": self.source,
            "parent": self.parent,
            "rationale": self.rationale,
            "architecture": self.architecture,
            "hash": self.hash,
            "config": self.config,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Candidate:
        """Read what :meth:`to_dict` wrote."""
        names = ("index", "source", "config", "hash", "parent", "rationale")
        return cls(**{name: data[name] for name in names})
