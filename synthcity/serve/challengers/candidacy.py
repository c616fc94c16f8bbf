"""A bundle as a miner keeps it to race: a copy, in which all else is answered by whoever does so now."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from synthcity.errors import BundleError, RunError
from synthcity.files import atomic_folder
from synthcity.forecast.bundles.choose import identify
from synthcity.forecast.bundles.combine import combine, made_of
from synthcity.forecast.bundles.suitability import facts_of
from synthcity.forecast.bundles.verified import CONFIG, listed_files
from synthcity.serve.settlement.challenge import Pair
from synthcity.serve.settlement.succession import Succession

BUNDLES = "bundles"
_BASELINE = "fhs"


def parts_of(bundle: Path, champion: str | None, known: Sequence[str] = ()) -> list[str]:
    """Write who answers what, as ``combine`` takes it: the bundle its own prompts, the champion the rest.

    Empty where the bundle does not tell what it was made for: it races as it is.

    Args:
        bundle: what is to race.
        champion: folder or name of what answers now, None for a baseline.
        known: what the champion was combined from, where that is known, so that bundles are not nested for ever.
    """
    facts = [one for one in facts_of(str(bundle)) if one.competition and one.assets]
    own = [f"{one.competition}:{','.join(one.assets)}={bundle.absolute()}" for one in facts]
    covered: dict[str, set[str]] = {}
    for one in facts:
        covered.setdefault(str(one.competition), set()).update(one.assets)
    name = champion or _BASELINE
    rest = [(part.partition("=")[0], part.partition("=")[2]) for part in known] or [
        (f"{one.competition}:{','.join(one.assets)}", name) for one in facts_of(name) if one.competition
    ]
    for way, answerer in rest if own else ():
        where, _, assets = way.partition(":")
        if not set(assets.split(",")) <= covered.get(where, set()):
            own.append(f"{way}={answerer}")
            covered.setdefault(where, set()).update(assets.split(","))
    return own


def race_of(champion: str, challenger: str, *, from_place: bool, on_trial: bool = False) -> Pair:
    """Return the pair that races.

    What turned up in a place where others may write says of itself what it likes, so it is never taken for a refit,
    whose race asks less. What is on trial races by the rule that asks more, whatever it is.

    Raises:
        BundleError: a bundle is gone or makes no sense.
    """
    refit = not from_place and not on_trial and is_refit(challenger, champion)
    return Pair(identify(champion), identify(challenger), refit, on_trial)


def is_refit(bundle: str, champion: str) -> bool:
    """Whether a bundle is the champion's own networks, trained again: it says so, and nothing but weights differs.

    Raises:
        BundleError: a bundle is gone or makes no sense.
    """
    facts = facts_of(bundle)
    if not facts or any(one.refit_of != identify(champion) for one in facts):
        return False
    return _structure(Path(bundle)) == _structure(Path(champion))


def _structure(folder: Path) -> dict[str, bytes]:
    """What a bundle and its members are, apart from weights and where these come from."""
    try:
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob(CONFIG))}
    except OSError as error:
        raise BundleError(f"cannot read {folder} ({error.strerror}); put the bundle back") from error


def at_work(succession: Succession) -> set[str]:
    """Return the hashes of what answers or shadows at a miner, and of the parts that it is combined from."""
    found = set()
    for name in filter(None, (succession.named, succession.challenger, succession.champion)):
        with suppress(BundleError):  # it was moved away, so nothing else is it
            found.add(identify(name))
        found |= made_of(name)
    return found


def keep(state: Path, bundle: Path, parts: Sequence[str], *, trust_code: bool = False) -> Path:
    """Put a bundle beside a miner's ledger, with the ``parts`` that it is to answer; done twice it is the same folder.

    Where there are several they are loaded; ``trust_code`` runs what a language model wrote in them. What answers or
    shadows there is left as it is, since a replica may be reading it.

    Raises:
        RunError: the disk refuses.
        SynthcityError: a bundle cannot be read.
    """
    folder = (state / BUNDLES / _name(bundle, parts)).absolute()
    succession = Succession.read(state)
    if succession is not None and str(folder) in (succession.named, succession.challenger, succession.champion):
        return folder
    try:
        if len(parts) > 1:
            combine(folder, parts, trust_code=trust_code, replace=True)
        else:
            with atomic_folder(folder) as draft:
                for name in listed_files(bundle):  # links and whatever else lies there stay behind
                    (draft / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(bundle / name, draft / name)
    except OSError as error:
        raise RunError(f"cannot write {folder} ({error.strerror or error}); nothing is offered") from error
    return folder


def _name(bundle: Path, parts: Sequence[str]) -> str:
    """Return a folder's name: the bundle's hash, or where others answer beside it, that of all parts."""
    content = identify(str(bundle))
    if len(parts) > 1:
        ways = [f"{way}={identify(name)}" for way, _, name in (part.partition("=") for part in parts)]
        content = hashlib.sha256("\n".join([content, *ways]).encode()).hexdigest()
    return content[:12]
