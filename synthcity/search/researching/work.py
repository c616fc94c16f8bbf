"""The whole of a research beside the trials: it is done, and an input that is kept is learned, on the train period.

It is `synthcity research` on other prices; one that a kill cut off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synthcity.agents.client import LLMClient
from synthcity.authored.forecaster import ForecasterSource
from synthcity.authored.locked.isolation import check_isolation
from synthcity.authored.locked.lock import NotIsolated
from synthcity.market.store.series import SIMULATED
from synthcity.research.informed.choosing import KeptForecaster
from synthcity.research.informed.kept import Kept
from synthcity.research.informed.learning import learn
from synthcity.research.labbook import NAME, Claimed, LabBook, Tried
from synthcity.research.library import slug
from synthcity.research.result import sentence
from synthcity.research.run import research
from synthcity.research.setting import Given, prepare
from synthcity.search.config import SearchConfig
from synthcity.search.data import SearchData
from synthcity.search.finals.found import FOLDER, INPUTS
from synthcity.search.journal.parts import FoundTold
from synthcity.search.researching.plan import plan_research


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it: ``found`` is all that was kept, surest first, ``inputs`` the names that were learned."""

    sentence: str
    found: tuple[FoundTold, ...] = ()
    inputs: tuple[str, ...] = ()
    forecasters: tuple[KeptForecaster, ...] = ()
    notes: tuple[str, ...] = ()


def do_research(
    config: SearchConfig,
    data: SearchData,
    folder: Path,
    client: LLMClient | None,
    *,
    tell: Callable[[str], None],
    left: Callable[[], float],
) -> Outcome:
    """Do it, or go on with it.

    Args:
        config: of the search.
        data: its prices.
        folder: of the run.
        client: the language model where one may be asked; else the control works alone.
        tell: gets a sentence now and then.
        left: seconds that are left for finding.

    Raises:
        SynthcityError: it cannot be done; what its lab book tells is kept.
    """
    planned = plan_research(config, data, folder)
    own = folder / FOLDER

    def count(done: int, of: int) -> None:
        left()  # which ends it where nobody waits any more
        if done * 4 % of < 4:
            tell(f"the baseline has answered {done} of {of} prompts of the train period")

    given = Given(market=data.market, simulated=SIMULATED in data.venues)
    setting = prepare(planned, count, given=given)
    client, why = _asked(client)
    book = own / NAME
    is_begun = book.exists() and book.stat().st_size > 0
    done = research(planned, own, client=client, tell=tell, setting=setting, resume=is_begun, left=left)
    kept, texts, found = _kept(own)
    names, notes = _learned(kept, data, own / INPUTS) if kept else ((), ())
    told = [sentence(done), *(note for note in dict.fromkeys(done.notes) if note not in setting.notes)]
    told += [f"no language model was asked: {why}"] if client is None else []
    if done.known_months:
        told.append(f"the model may have known the months {done.known_months[0]} to {done.known_months[-1]}")
    return Outcome(sentence="; ".join(told), found=found, inputs=names, forecasters=texts, notes=notes)


def _asked(client: LLMClient | None) -> tuple[LLMClient | None, str]:
    """Return the language model, or none and why."""
    if client is None:
        return None, "it may cost nothing (llm.caps.usd_per_run is 0)"
    if not client.availability.ready:
        return None, client.availability.reason
    try:
        check_isolation()
    except NotIsolated as error:
        return None, f"what it writes cannot be held here ({error})"
    return client, ""


def _kept(own: Path) -> tuple[list[Kept], tuple[KeptForecaster, ...], tuple[FoundTold, ...]]:
    """Return what the lab book says was kept: inputs, forecasters, and both as the journal tells them."""
    with LabBook(own, resume=True) as book:
        book.take_rest()
    tried = {(one.arm, one.name): one for one in book.of(Tried) if not one.refused}
    inputs, forecasters, found = list[Kept](), list[KeptForecaster](), list[FoundTold]()
    for claim in sorted((one for one in book.of(Claimed) if one.kept), key=lambda one: one.high or 0.0):
        origin = tried[claim.arm, claim.name].origin
        name = slug(claim.name, origin)
        if origin.forecaster is not None:
            forecasters.append(KeptForecaster(name=name, source=ForecasterSource.of(origin.forecaster)))
            made_by, sha256 = "forecaster", forecasters[-1].source.sha256
        else:
            inputs.append(Kept.of(name, origin))
            made_by, sha256 = inputs[-1].kind, inputs[-1].sha256
        found.append(
            FoundTold(
                name=name,
                made_by=made_by,
                sha256=sha256,
                arm=claim.arm,
                mean=claim.mean,
                low=claim.low,
                high=claim.high,
                confidence=claim.confidence,
                prompts=claim.prompts,
            )
        )
    return inputs, tuple(forecasters), tuple(found)


def _learned(kept: list[Kept], data: SearchData, where: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Learn what was kept, beside the inputs of the user's library, and save it; return names and sentences."""
    known = () if data.inputs is None else tuple(one.kept for one in data.inputs.inputs)
    names = {one.name for one in known}
    together = [*known, *(one for one in kept if one.name not in names)]
    inputs, notes = learn(together, data.market, data.assets, data.competition, data.periods.train)
    if inputs is None:
        return (), notes
    inputs.save(where, manifest=data.facts.to_manifest())
    return tuple(one.kept.name for one in inputs.inputs), notes
