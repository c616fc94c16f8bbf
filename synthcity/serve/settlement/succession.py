"""Who is champion: a small file that outlives restarts, written by a verdict or by hand and followed by the miner."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from synthcity.errors import ConfigError, RunError
from synthcity.files import PRIVATE, atomic_write
from synthcity.schema import build
from synthcity.serve.settlement.challenge import ChallengeVerdict, Decision
from synthcity.strict_json import loads

CHAMPION = "champion.json"


@dataclass(frozen=True, kw_only=True)
class Succession:
    """Attributes:
    named: bundle that the miner was started with, or that answered when it took the challenger.
    challenger: that it shadows, None without one.
    champion: which of the two answers.
    reason: why, in one sentence.
    started: what the miner was started with, where ``named`` has moved on from it; empty where it has not.
    since: when the champion began to answer, unix seconds; 0 in files of before.
    from_place: whether the challenger turned up in a watched place, where others may write.
    on_trial: whether nothing is claimed of the challenger, so that its race is held to the stricter rule.
    """

    named: str
    challenger: str | None
    champion: str
    reason: str
    started: str = ""
    since: float = 0.0
    from_place: bool = False
    on_trial: bool = False

    @classmethod
    def read(cls, state: Path) -> Succession | None:
        """Read the file in ``state``; None where there is none.

        Raises:
            RunError: it is damaged.
        """
        path = state / CHAMPION
        try:
            found = build(cls, loads(path.read_bytes()))
            if found.champion not in (found.named, found.challenger):
                raise ValueError(f"{found.champion} is neither")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, ConfigError) as error:
            raise RunError(f"{path} does not say who is champion ({error}); remove it") from error
        return found

    def write(self, state: Path) -> Succession:
        """Replace the file in one step.

        Raises:
            RunError: the disk refuses.
        """
        path = state / CHAMPION
        try:
            atomic_write(path, json.dumps(asdict(self)) + "\n", mode=PRIVATE)
        except OSError as error:
            raise RunError(f"cannot write {path} ({error.strerror}); the champion stays") from error
        return self

    def promoted(self, reason: str, now: float | None = None) -> Succession:
        """The challenger answers from ``now`` on.

        Raises:
            RunError: there is none.
        """
        if self.challenger is None:
            raise RunError(f"{self.named} has no challenger; start the miner with --challenger BUNDLE")
        return replace(self, champion=self.challenger, reason=reason, since=time.time() if now is None else now)

    def revoked(self, reason: str, now: float | None = None) -> Succession:
        """The bundle that answered before the challenger does so again."""
        return replace(self, champion=self.named, reason=reason, since=time.time() if now is None else now)

    def challenged(
        self, challenger: str, reason: str, *, from_place: bool = False, on_trial: bool = False
    ) -> Succession:
        """Whoever answers now goes on, and another bundle shadows it."""
        return Succession(
            named=self.champion,
            challenger=challenger,
            champion=self.champion,
            reason=reason,
            started=self.started or self.named,
            since=self.since,
            from_place=from_place,
            on_trial=on_trial,
        )


def starting(state: Path, named: str, challenger: str | None, now: float | None = None) -> Succession:
    """Who answers when a miner starts: a challenger that was promoted over the same bundle still does.

    What a running miner took goes on, too, unless it is started with another bundle or a challenger of its own.

    Nothing is written: a start that fails leaves what another bundle has earned.

    Raises:
        RunError: the file is damaged.
    """
    found = Succession.read(state)
    if found is not None and (found.named, found.challenger) == (named, challenger):
        return found
    if found is not None and found.started == named and challenger is None:
        return found
    now = time.time() if now is None else now
    since = found.since if found is not None and found.champion == named else now  # a restart with another challenger
    reason = "the miner was started with it"
    return Succession(named=named, challenger=challenger, champion=named, reason=reason, since=since)


def begin(state: Path, named: str, challenger: str | None, now: float | None = None) -> Succession:
    """Write down who answers, now that the miner has started; see ``starting``.

    Raises:
        RunError: the file is damaged or cannot be written.
    """
    return starting(state, named, challenger, now).write(state)


def is_won(verdicts: Sequence[ChallengeVerdict]) -> bool:
    """Whether the challenger has won somewhere and lost or still runs nowhere, of all competitions with scores.

    Where both answer alike to the last digit, as parts do that a challenger shares with the champion, there is no race.
    A refit has to come through wherever it races, since it claims nothing that could make up for a loss elsewhere.
    """
    if any(verdict.margin for verdict in verdicts):
        return all(verdict.decision is Decision.PROMOTE for verdict in verdicts)
    decisions = [verdict.decision for verdict in verdicts if not _is_same(verdict)]
    lost = any(
        v.decision is Decision.KEEP and v.lead is not None and not v.lead.low <= 0 <= v.lead.high for v in verdicts
    )
    return Decision.PROMOTE in decisions and Decision.TOO_EARLY not in decisions and not lost


def _is_same(verdict: ChallengeVerdict) -> bool:
    found = verdict.lead
    return found is not None and found.low == found.high == 0
