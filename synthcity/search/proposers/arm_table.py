"""What each arm of a search was given, earned and cost, in the end and over time, from the history alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from synthcity.search.arms import OPEN, ArmState
from synthcity.search.config import ArmConfig
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.portfolio import Portfolio, judged


class ArmPoint(TypedDict):
    """An arm after ``proposals`` of all arms: its part of them, mean reward of those that finished, USD so far."""

    proposals: int
    share: float
    reward: float | None
    usd: float


class ArmRow(TypedDict):
    """One arm; ``away`` counts the proposals admitted while it rested or was closed, for the last such ``reason``.

    ``reward`` is the mean of what ``Portfolio.rewards`` paid; questions are those to a language model, ``in_vain``
    those that brought nothing.
    """

    name: str
    proposals: int
    refused: int
    share: float
    reward: float | None
    seconds: float
    usd: float
    questions: int
    in_vain: int
    away: int
    state: str
    reason: str
    curve: list[ArmPoint]


def arm_rows(
    history: TrialHistory, arms: Mapping[str, ArmConfig], reasons: Mapping[str, str] | None = None
) -> list[ArmRow]:
    """Return one row an arm, in the order of the sweep file.

    ``reasons``: why an arm was last away, where its state now does not say so any more.
    """
    rewards = dict(
        zip(
            (record.candidate.id for record in judged(history)),
            (reward for _, reward in Portfolio(arms).rewards(history)),
            strict=True,
        )
    )
    return [_row(name, history, arms, rewards, dict(reasons or {})) for name in arms]


def _row(
    name: str,
    history: TrialHistory,
    arms: Mapping[str, ArmConfig],
    rewards: Mapping[str, float],
    reasons: Mapping[str, str],
) -> ArmRow:
    proposed = [record.candidate for record in history.records if record.candidate.source in arms]
    answers = [answer for answer in history.answers if answer.source == name]
    own, earned, curve = 0, [], list[ArmPoint]()
    for number, candidate in enumerate(proposed, start=1):
        if candidate.source == name:
            own += 1
            earned += [rewards[candidate.id]] if candidate.id in rewards else []
        usd = sum(answer.usd for answer in answers if answer.after <= candidate.index)
        curve.append(ArmPoint(proposals=number, share=own / number, reward=_mean(earned), usd=usd))
    state = history.arms.get(name, ArmState())
    return ArmRow(
        name=name,
        proposals=own,
        refused=sum(rejection.source == name for rejection in history.rejections),
        share=own / max(1, len(proposed)),
        reward=_mean(earned),
        seconds=sum(record.seconds for record in history.records if record.candidate.source == name),
        usd=sum(answer.usd for answer in answers),
        questions=len(answers),
        in_vain=sum(not answer.proposals for answer in answers),
        away=sum(candidate.arms.get(name, OPEN) != OPEN for candidate in proposed),
        state=state.state,
        reason=state.reason or reasons.get(name, ""),
        curve=curve,
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
