"""Who answers at a miner, since when, who shadows, and what both earned: from its files, at any time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from synthcity.errors import ConfigError, RunError
from synthcity.files import PRIVATE, atomic_write
from synthcity.forecast.bundles.choose import identify
from synthcity.schema import build
from synthcity.serve.answering.answer_ledger import LEDGER, Fallback
from synthcity.serve.challengers.candidacy import race_of
from synthcity.serve.settlement.challenge import Pair, decide
from synthcity.serve.settlement.settle import read_scores
from synthcity.serve.settlement.standing import standings
from synthcity.serve.settlement.succession import Succession
from synthcity.sn50.competitions import get_rules
from synthcity.strict_json import loads

if TYPE_CHECKING:
    from synthcity.market.sources.synthapi import SynthApi

RANKS = "ranks.json"
CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place among all miners as it was worked out at ``time`` (unix s); see ``rank.Rank``."""

    role: str
    bundle: str
    competition: str
    rank: int
    num_miners: int
    time: float


@dataclass(frozen=True, kw_only=True)
class Earned:
    """What one of the two earned in a competition.

    Attributes:
        role: ``champion`` or ``challenger``.
        average: rolling average over the window in basis points, lower is better; with a challenger that has answered,
            of the prompts that both answered.
        answers: that are in it.
        place: the last that was worked out, if any was.
    """

    role: str
    competition: str
    average: float
    answers: int
    place: Place | None = None


@dataclass(frozen=True, kw_only=True)
class Race:
    """How the two stand in a competition, by the looks that a verdict has: before the first one nothing is told."""

    competition: str
    decision: str
    reason: str
    prompts: int


@dataclass(frozen=True, kw_only=True)
class Tenure:
    """Attributes:
    champion: folder or name of what answers; ``since`` when (unix s, 0 where it is not known), and ``reason`` why.
    challenger: what is in its shadow, empty where nothing is; ``on_trial`` where nothing is claimed of it.
    races: between them, by competition.
    earned: by each, in each competition with settled answers.
    """

    champion: str
    since: float
    reason: str
    challenger: str = ""
    on_trial: bool = False
    races: tuple[Race, ...] = ()
    earned: tuple[Earned, ...] = ()

    @property
    def is_paired(self) -> bool:
        """Whether what was earned is told of the prompts that both answered alone."""
        return any(one.role == CHALLENGER for one in self.earned)


def read_tenure(state: Path, now: float) -> Tenure | None:
    """Return who answers at the miner with the folder ``state``; None where none was ever started.

    Args:
        now: end of the windows, unix seconds.

    Raises:
        RunError: a file of it is damaged.
        BundleError: a bundle is gone.
    """
    found = Succession.read(state)
    if found is None:
        return None
    hashes = _hashes(state)
    shadow = found.challenger if CHALLENGER in hashes else None
    pair = None
    if shadow is not None:
        pair = race_of(found.champion, shadow, from_place=found.from_place, on_trial=found.on_trial)
    scores = read_scores(state / LEDGER)
    return Tenure(
        champion=found.champion,
        since=found.since,
        reason=found.reason,
        challenger=shadow or "",
        on_trial=pair is not None and pair.on_trial,
        races=() if pair is None else tuple(_races(scores, pair, now)),
        earned=tuple(_earned(scores, hashes, _kept(state), now)),
    )


def work_out_places(state: Path, api: SynthApi, now: float, own_miner: int | None = None) -> list[Place]:
    """Rank champion and challenger among the public scores of all miners, and keep that beside the ledger.

    It is about the answers that ``Earned`` averages. What is public is fetched once for both.

    Raises:
        SourceError: the public scores cannot be fetched.
        RunError: the disk refuses.
    """
    from synthcity.serve.settlement.rank import Fetched, Rank, ranks

    places, hashes = [], _hashes(state)
    own, public = _own(read_scores(state / LEDGER), hashes), Fetched(api)
    for role, bundle in hashes.items():
        for one in ranks(own[own["bundle"] == bundle], public, now, own_miner=own_miner):
            if isinstance(one, Rank):
                where = {"role": role, "bundle": bundle, "competition": one.competition}
                places.append(Place(rank=one.rank, num_miners=one.num_miners, time=now, **where))
    try:
        atomic_write(state / RANKS, json.dumps([asdict(one) for one in places]) + "\n", mode=PRIVATE)
    except OSError as error:
        raise RunError(f"cannot write {state / RANKS} ({error.strerror or error}); make space") from error
    return places


def _hashes(state: Path) -> dict[str, str]:
    """Hashes of those that answer and shadow, by role."""
    found = Succession.read(state)
    if found is None:
        return {}
    hashes = {CHAMPION: identify(found.champion)}
    if found.challenger is not None and found.champion == found.named:
        hashes[CHALLENGER] = identify(found.challenger)
    return hashes


def _kept(state: Path) -> list[Place]:
    try:
        told = loads((state / RANKS).read_bytes())
        if not isinstance(told, list):
            raise ValueError("it is no list")
        return [build(Place, one, where="a rank") for one in told]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, ConfigError) as error:
        raise RunError(f"{state / RANKS} holds no ranks ({error}); remove it") from error


def _races(scores: pd.DataFrame, pair: Pair, now: float) -> Iterator[Race]:
    for competition in get_rules().competitions.values():
        own = scores[scores["competition"] == competition.name]
        if {*pair[:2]} <= set(own["bundle"]):
            found = decide(scores, pair.champion, pair.challenger, competition, now, config=pair.config)
            yield Race(
                competition=competition.name,
                decision=str(found.decision),
                reason=found.reason,
                prompts=found.num_prompts,
            )


def _earned(scores: pd.DataFrame, hashes: dict[str, str], kept: list[Place], now: float) -> Iterator[Earned]:
    own = _own(scores, hashes)
    places = {(one.bundle, one.competition): one for one in kept}
    for role, bundle in hashes.items():
        for one in standings(own[own["bundle"] == bundle], now):
            place = places.get((bundle, one.competition))
            yield Earned(
                role=role,
                competition=one.competition,
                average=one.average,
                answers=one.num_answers,
                place=None if place is None else replace(place, role=role),
            )


def _own(scores: pd.DataFrame, hashes: dict[str, str]) -> pd.DataFrame:
    """Keep what the two drew themselves, and once both have answered, the prompts that both did; all counts as sent."""
    own = scores[scores["fallback"].isna() | (scores["fallback"] == Fallback.FOREIGN)]
    own = own[own["bundle"].isin(hashes.values())].assign(sent=True)
    if set(hashes.values()) <= set(own["bundle"]):
        counts = own.groupby(["asset", "start_time", "competition"])["bundle"].transform("nunique")
        own = own[counts == len(hashes)]
    return own
