"""From a bundle that leads to a challenger in the shadow, and what became of those before."""

from __future__ import annotations

from pathlib import Path

from synthcity.pipeline.events import Crowned, Deployed, Renewed
from synthcity.pipeline.state import State
from synthcity.serve.answering.answer_ledger import LEDGER
from synthcity.serve.challengers.candidacy import keep, parts_of
from synthcity.serve.settlement.offer import Offer, lost, waits
from synthcity.serve.settlement.succession import Succession


def offer_challenger(state: Path, pipeline: State, winner: Path, reason: str) -> Deployed:
    """Put a bundle beside the miner's ledger and offer it; done twice it does nothing more.

    A miner is asked for several competitions: what answers elsewhere now goes on to do so within the challenger, so
    that the race is about the new part alone.

    Args:
        state: folder of the miner.
        pipeline: what has happened; its open round proved ``winner``, or lets it race without a claim.
        winner: the bundle.
        reason: why, in one sentence.

    Raises:
        RunError: the disk refuses.
        SynthcityError: a bundle cannot be read.
    """
    found = pipeline.current
    assert found is not None
    champion = answering(state)
    told = next((one for one in pipeline.champions.values() if one.folder == champion), None)
    parts = parts_of(winner, champion, () if told is None else told.parts)
    folder = keep(state, winner, parts)
    on_trial = found.judged is not None and not found.judged.passed
    offer = Offer.of(folder, reason, on_trial=on_trial).write(state)
    where = {"state": str(state.absolute()), "folder": offer.folder, "bundle": offer.bundle}
    return Deployed(round=found.began.round, parts=tuple(parts), **where)


def answering(state: Path) -> str | None:
    """Return what answers at a miner: a folder or the name of a baseline; None where no miner was started yet."""
    succession = Succession.read(state)
    return None if succession is None else succession.champion


def crowned(state: Path, pipeline: State) -> list[Crowned]:
    """Return the champion that came of the last deployment, unless that was told already."""
    if pipeline.offered is None or answering(state) != pipeline.offered[1].folder:
        return []
    competition, told = pipeline.offered
    known = pipeline.champions.get(competition)
    if known is not None and known.folder == told.folder:
        return []
    succession = Succession.read(state)
    reason = "" if succession is None else succession.reason
    return [
        Crowned(
            competition=competition,
            folder=told.folder,
            bundle=told.bundle,
            reason=reason,
            parts=told.parts,
            is_refit=isinstance(told, Renewed),
        )
    ]


def is_racing(state: Path, pipeline: State) -> bool:
    """Whether the last challenger may still come to answer; no other is deployed meanwhile.

    Its race is that of its round's competition. One that answered and was taken back has had its time, and so has one
    that the miner declined, or that another challenger took the place of.
    """
    if pipeline.offered is None:
        return False
    competition, told = pipeline.offered
    known = pipeline.champions.get(competition)
    succession = Succession.read(state)
    champion, challenger = (None, None) if succession is None else (succession.champion, succession.challenger)
    if told.folder in (champion, None if known is None else known.folder):
        return False
    if told.folder != challenger and not waits(state, told.folder):
        return False
    return lost(state / LEDGER, told.bundle, competition, is_refit=isinstance(told, Renewed)) is None
