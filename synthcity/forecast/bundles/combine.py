"""One bundle out of several forecasters, each for the prompts that it was made for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from synthcity import strict_json
from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.bundles.choose import choose, identify
from synthcity.forecast.bundles.suitability import refuse_uncovered
from synthcity.forecast.bundles.verified import MANIFEST
from synthcity.forecast.dispatch import Dispatch, Route
from synthcity.forecast.forecaster import Forecaster
from synthcity.sn50.prompt import Prompt


@dataclass(frozen=True, kw_only=True)
class Part:
    """Who answers what: ``name`` of a bundle or a baseline, and what it is loaded as.

    ``way`` is how its prompts are written, e.g. ``crypto-24h`` or ``crypto-24h:BTC,ETH``.
    """

    way: str
    name: str
    forecaster: Forecaster


def combine(folder: Path | str, parts: Sequence[str], *, trust_code: bool = False, replace: bool = False) -> list[Part]:
    """Write a bundle to ``folder`` in which the first part that covers a prompt answers it.

    The bundle tells what its parts tell of where they come from: a simulated part makes it a simulated one. Its
    manifest names each part and its hash.

    Args:
        parts: ``COMPETITION[:A,B,...]=BUNDLE|BASELINE``, exceptions before what they except.
        trust_code: run what a language model wrote, where a bundle holds such code.
        replace: take the place of a bundle that is there, which may be one that is being served.

    Raises:
        ConfigError: a part cannot be read, is given twice, never answers, or was not made for its prompts; or there is
            a bundle already.
        BundleError: a part cannot be loaded, or ``folder`` is something else than a bundle.
    """
    folder = Path(folder)
    if (folder / MANIFEST).exists() and not replace:
        raise ConfigError(f"{folder} is a bundle already, maybe one that is being served; replace it by --replace")
    named = _read(parts)
    found = [
        Part(way=way, name=name, forecaster=choose(name, trust_code=trust_code, quantised=True))
        for way, name in named.values()
    ]
    for route, part in zip(named, found, strict=True):
        grid = (route.time_length, route.time_increment)
        refuse_uncovered(part.name, part.forecaster, part.way.partition(":")[0], grid, route.assets)
    sources = [{"route": part.way, "from": part.name, "bundle": identify(part.name)} for part in found]
    combined = Dispatch(list(named), [part.forecaster for part in found], name=folder.name)
    combined.save(folder, manifest={"parts": sources})
    return found


def made_of(folder: Path | str) -> set[str]:
    """Return the hashes of what a bundle was combined from; empty where it was not, or is no folder.

    Of bundles of before, whose manifests tell no hashes, of what lies where the parts did.
    """
    try:
        told = strict_json.loads((Path(folder) / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return set()
    parts = told.get("parts") if isinstance(told, dict) else None
    found = set()
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict):
            with suppress(BundleError):
                found.add(str(part.get("bundle") or identify(str(part.get("from")))))
    return found


def _read(parts: Sequence[str]) -> dict[Route, tuple[str, str]]:
    """Ways and names by route."""
    named: dict[Route, tuple[str, str]] = {}
    for part in parts:
        way, equals, name = part.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"{part!r} is no part; write e.g. crypto-24h=runs/sweep/winner")
        route = Route.parse(way)
        if route in named:
            raise ConfigError(f"{way!r} is given twice, to {named[route][1]} and to {name}; name one of them")
        grid = {"time_length": route.time_length, "time_increment": route.time_increment}
        asked = [Prompt(asset=asset, start_time=0, **grid) for asset in route.assets]
        if all(any(other.covers(prompt) for other in named) for prompt in asked):
            raise ConfigError(f"{part!r} never answers, since earlier parts take all its prompts; put exceptions first")
        named[route] = way, name.strip()
    return named
