"""What was found out about a failed trial that is not simply tried again with a patch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import permutations
from typing import Any

from synthcity.search.candidates.candidate import Config

LIMIT, LEAVE = "limit", "leave"
CATALOGUE, MODEL = "catalogue", "model"  # who found a patch
BUDGET = "budget"  # no trial was left to repair it with; a search that goes on with more of them looks again
_PATCH = re.compile(rf"(?P<cause>.*) \((?P<by>{CATALOGUE}|{MODEL})\): (?P<changes>.*)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """The end of the work on one failed trial.

    Attributes:
        trial: its id.
        fingerprint: of the failure (see ``debugger.failure``).
        cause: one or two words.
        action: "limit", nothing as large shall be tried again, or "leave", no change of the configuration helps.
        by: who says so: "catalogue", "model", "debugger" where its own bounds ended the work, or
            "budget" where those of the search did.
        reason: one sentence.
        usd: what it cost to find out.
    """

    trial: str
    fingerprint: str
    cause: str
    action: str
    by: str
    reason: str
    usd: float = 0.0

    def to_dict(self) -> dict[str, object]:
        """Return plain data for the journal; the trial stands there as ``id``."""
        return {"id": self.trial, **{name: value for name, value in asdict(self).items() if name != "trial"}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Diagnosis:
        """Read what :meth:`to_dict` wrote."""
        names = ("fingerprint", "cause", "action", "by", "reason", "usd")
        return cls(trial=data["id"], **{name: data[name] for name in names})


@dataclass(frozen=True)
class Patch:
    """What a repair was made for, ``by`` the catalogue or a model, and what it changed."""

    cause: str
    by: str
    changes: str

    def __str__(self) -> str:
        """Return the rationale of the repair."""
        return f"{self.cause} ({self.by}): {self.changes}"


def read_patch(rationale: str) -> Patch:
    """Read the rationale of a repair; of one that says less, all of it is the change."""
    match = _PATCH.fullmatch(rationale)
    return Patch("", "", rationale) if match is None else Patch(**match.groupdict())


def at_least_as_large(config: Config, other: Config) -> bool:
    """Whether a canonical config needs at least the memory and time of another one.

    It does where it has the head and all blocks of the other, and no size that the blocks share, nor the batch or the
    paths of the loss, is smaller. Options of blocks and heads are not looked at: they weigh little beside these.
    """
    sizes = [(config[name], other[name]) for name in ("d_model", "history", "patch")]
    sizes += [(config["training"][name], other["training"][name]) for name in ("batch_size", "num_paths")]
    if config["head"]["name"] != other["head"]["name"] or any(mine < theirs for mine, theirs in sizes):
        return False
    mine, theirs = ([block["name"] for block in each["blocks"]] for each in (config, other))
    return tuple(theirs) in permutations(mine, len(theirs))
