"""The contract of a proposer: the one door through which candidates enter a search.

A proposer turns what is known into what to try next. It may be a list in a file, a sampler or a language model;
the search treats them alike:

* ``propose(count, history, rng)`` returns up to ``count`` proposals, best first. Fewer are welcome; none means
  "nothing to say any more" and closes the proposer for this run, except from a ``BackgroundProposer``.
* It runs on the search's own thread, never inside Ray's loop: it may take its time, while the workers go on with
  what is queued. It must not touch Ray.
* ``history`` is all it may know: an immutable value with every candidate (queued and running ones too, so that a
  point in flight is not proposed again), every score, failure and rejection with its reason. A proposer keeps no
  state of its own that a restart would lose: the same history and ``rng`` give the same proposals, which is what
  makes a resumed search continue as if nothing had happened.
* ``rng`` is its only source of chance.
* Nothing it returns is trusted: the gate completes, checks, deduplicates and dry-runs every config. A refusal costs
  no trial and stands in ``history.rejections``.
* It may raise: the error is recorded, and a proposer that fails three times in a row is closed for this run.

What an author needs to know of blocks and heads is ``Space.describe()``: plain data, with types, ranges and docs.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from synthcity.search.arms import ArmState
from synthcity.search.candidates.candidate import Proposal
from synthcity.search.journal.history import TrialHistory


class Proposer(Protocol):
    """Anything that proposes candidates; see the module's text for the contract."""

    @property
    def name(self) -> str:
        """Stands as ``source`` beside every candidate it proposes."""

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        """Return up to ``count`` proposals."""


@runtime_checkable
class BackgroundProposer(Proposer, Protocol):
    """A proposer that thinks on a thread of its own, because what it asks may take minutes.

    ``propose`` returns at once what is ready. Nothing means "not yet": the thought is on its way, and another arm gets
    the slot. An error of the thought before is raised by the next call.
    """

    @property
    def standing(self) -> ArmState:
        """Whether it may be asked now, else why not."""

    def close(self) -> None:
        """Begin no further thought."""
