"""Whether a proposer may be asked, as it stands in the journal and beside every candidate."""

from __future__ import annotations

from dataclasses import dataclass

OPEN, RESTING, CLOSED = "open", "resting", "closed"
LLM = "llm."  # begins the names of all arms that ask a language model
FIRST = "defaults"  # the source of what a search begins with
RERUN = "rerun"  # the source of known networks on fresh seeds
DEBUGGER = "debugger"  # the source of repairs, which is no arm: nobody chooses it, a failure does


@dataclass(frozen=True, kw_only=True)
class ArmState:
    """``resting`` ends by itself, ``closed`` does not in this session; ``reason`` says why."""

    state: str = OPEN
    reason: str = ""
