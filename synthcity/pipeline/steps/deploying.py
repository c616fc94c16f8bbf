"""From a proven bundle to a challenger in the shadow, and what became of those before."""

from __future__ import annotations

import shutil
from pathlib import Path

from synthcity.errors import RunError
from synthcity.files import atomic_folder
from synthcity.forecast.bundles.choose import identify
from synthcity.forecast.bundles.combine import combine
from synthcity.forecast.bundles.suitability import facts_of
from synthcity.pipeline.events import Crowned, Deployed
from synthcity.pipeline.state import State
from synthcity.serve.settlement.offer import Offer, lost
from synthcity.serve.settlement.succession import Succession

BUNDLES, LEDGER = "bundles", "ledger"


def offer_challenger(state: Path, pipeline: State, winner: Path, reason: str) -> Deployed:
    """Put a bundle beside the miner's ledger and offer it; done twice it does nothing more.

    A miner is asked for several competitions: what answers elsewhere now goes on to do so within the challenger, so
    that the race is about the new part alone.

    Args:
        state: folder of the miner.
        pipeline: what has happened; its open round proved ``winner``.
        winner: the proven bundle.
        reason: why, in one sentence.

    Raises:
        RunError: the disk refuses.
        SynthcityError: a bundle cannot be read.
    """
    found = pipeline.current
    assert found is not None
    champion = answering(state)
    parts = _parts(pipeline, found.began.competition, winner, champion)
    folder = (state / BUNDLES / identify(str(winner))[:12]).absolute()
    try:
        if len(parts) > 1:
            combine(folder, parts, replace=True)
        else:
            with atomic_folder(folder) as draft:
                shutil.copytree(winner, draft, dirs_exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot write {folder} ({error.strerror or error}); nothing is offered") from error
    bundle = identify(str(folder))
    Offer(folder=str(folder), bundle=bundle, reason=reason).write(state)
    return Deployed(round=found.began.round, state=str(state), folder=str(folder), bundle=bundle, parts=tuple(parts))


def answering(state: Path) -> str | None:
    """Return what answers at a miner: a folder or the name of a baseline; None where no miner was started yet."""
    succession = Succession.read(state)
    return None if succession is None else succession.champion


def crowned(state: Path, pipeline: State) -> list[Crowned]:
    """Return the champion that came of the last deployment, unless that was told already."""
    done = next((one for one in reversed(pipeline.rounds) if one.deployed is not None), None)
    if done is None or done.deployed is None or answering(state) != done.deployed.folder:
        return []
    competition, told = done.began.competition, done.deployed
    known = pipeline.champions.get(competition)
    if known is not None and known.folder == told.folder:
        return []
    succession = Succession.read(state)
    reason = "" if succession is None else succession.reason
    return [Crowned(competition=competition, folder=told.folder, bundle=told.bundle, reason=reason, parts=told.parts)]


def is_racing(state: Path, pipeline: State) -> bool:
    """Whether the last challenger may still come to answer; no other is deployed meanwhile.

    Its race is that of its round's competition. One that answered and was taken back has had its time.
    """
    done = next((one for one in reversed(pipeline.rounds) if one.deployed is not None), None)
    if done is None or done.deployed is None:
        return False
    competition, folder = done.began.competition, done.deployed.folder
    known = pipeline.champions.get(competition)
    if folder in (answering(state), None if known is None else known.folder):
        return False
    return lost(state / LEDGER, done.deployed.bundle, competition) is None


def _parts(pipeline: State, competition: str, winner: Path, champion: str | None) -> list[str]:
    """Write who answers what: the winner its own prompts, whoever does so now the rest."""
    facts = facts_of(str(winner))
    own = [f"{competition}:{','.join(one.assets)}={winner.absolute()}" for one in facts]
    covered = {competition: {asset for one in facts for asset in one.assets}}
    told = next((one for one in pipeline.champions.values() if one.folder == champion), None)
    if told is not None:
        rest = [(part.partition("=")[0], part.partition("=")[2]) for part in told.parts]
    else:
        rest = [(f"{one.competition}:{','.join(one.assets)}", champion or "") for one in facts_of(champion or "fhs")]
    for way, name in rest:
        where, _, assets = way.partition(":")
        if not set(assets.split(",")) <= covered.get(where, set()):
            own.append(f"{way}={name}")
            covered.setdefault(where, set()).update(assets.split(","))
    return own
