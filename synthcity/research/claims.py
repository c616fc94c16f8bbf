"""From finds to claims to what is kept: the one look at the confirming fold, and what it may cost.

All claims are chosen, and put into an order, before any of them is asked, so no answer decides the next question. Each
is asked with all earlier claims beside it, at ``level`` over their number on one side (Bonferroni; the number is chosen
without a look at the confirming fold, so few claims pay for few): so the chance that an arm keeps anything false is at
most ``level``, as far as the intervals hold what they say. Inputs and forecasters share it. Each arm has a level of its
own: model and control together may keep something false twice as often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from synthcity.authored.locked.lock import NotIsolated
from synthcity.errors import TrialFailed
from synthcity.research.bench import Found
from synthcity.research.config import ResearchConfig
from synthcity.research.examiner import Candidate, Examiner
from synthcity.research.labbook import DROP, Claimed, Decided, LabBook, Noted, finite

_CONSIDERED = 3  # finds for each claim that may be made


@dataclass(frozen=True, kw_only=True)
class Held:
    """A find that is kept, with the claim that held."""

    found: Found
    claim: Claimed


def choose_claims(found: Sequence[Found], examiner: Examiner, config: ResearchConfig, book: LabBook) -> list[Found]:
    """Return what is to be claimed, surest first: promising by itself, and beside what is claimed before it.

    The surest has the end of its interval that is next to nothing farthest away. What its author dropped last is left
    out: it saw no more than the folds for finding, so that may only spare a claim.

    An input is asked for its columns once more here, and for none after that; what fails now is noted and not claimed.
    """
    last = {(one.arm, one.name): one.decision for one in book.of(Decided)}
    promising = sorted(
        (one for one in found if one.entry.promising and last.get((one.entry.arm, one.entry.name)) != DROP),
        key=_surest,
    )
    chosen: list[Found] = []
    for one in promising[: _CONSIDERED * config.claims]:
        if len(chosen) == config.claims:
            break
        beside = [earlier.candidate for earlier in chosen]
        try:
            holds = examiner.test(one.candidate, config.folds.finding, beside=beside).lead.proven
        except (TrialFailed, NotIsolated) as error:
            book.add(Noted(text=f"{one.entry.arm}: {one.entry.name} is not claimed: {error}"))
            holds = False
        if holds:
            chosen.append(one)
        else:
            examiner.forget(one.candidate)
    return chosen


def _surest(one: Found) -> tuple[float, float]:
    return 0.0 if one.entry.high is None else one.entry.high, one.entry.mean


def confirm(chosen: Sequence[Found], examiner: Examiner, config: ResearchConfig, book: LabBook) -> list[Held]:
    """Ask every claim of the confirming fold, write down what it says, and return those that held.

    A claim that an earlier session of the research asked keeps its answer. A forecaster is run anew on these days; one
    that fails there is not kept, and those after it are asked without it.
    """
    kept, answered = list[Held](), list[Candidate]()
    if not chosen:
        return kept
    confidence = config.confidence(len(chosen))
    for number, one in enumerate(chosen, start=1):
        claim = book.told(Claimed, arm=one.entry.arm, number=number, name=one.entry.name)
        claim = claim or _asked(one, number, answered, examiner, config, confidence)
        book.add(claim)
        if not claim.refused:
            answered.append(one.candidate)
        if claim.kept:
            kept.append(Held(found=one, claim=claim))
    return kept


def _asked(
    one: Found, number: int, beside: Sequence[Candidate], examiner: Examiner, config: ResearchConfig, confidence: float
) -> Claimed:
    entry = one.entry
    claimed = partial(
        Claimed, arm=entry.arm, number=number, name=entry.name, what=entry.origin.kind, confidence=confidence
    )
    try:
        lead = examiner.test(one.candidate, config.folds.confirming, beside=beside, confidence=confidence).lead
    except TrialFailed as error:
        return claimed(mean=0.0, low=None, high=None, prompts=0, blocks=0, kept=False, refused=str(error))
    return claimed(
        mean=lead.mean,
        low=finite(lead.low),
        high=finite(lead.high),
        prompts=lead.num_prompts,
        blocks=lead.num_blocks,
        kept=lead.proven,
    )
