"""Searches without proposers: hand-picked networks, all trained to their end, and then the final of every search."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

from synthcity.documents import apply_settings
from synthcity.errors import ConfigError, unknown_name
from synthcity.search.candidates.candidate import Config
from synthcity.search.config import SearchConfig, load_config, parse_config

# what is searched where there is no sweep file: the prices of configs/quickstart.yaml
SIMULATED: Mapping[str, object] = {
    "competition": "crypto-24h",
    "data": {
        "source": "simulated",
        "assets": ["BTC", "ETH", "SOL"],
        "periods": {
            "train": ["2025-02-15", "2025-06-01"],
            "validation": ["2025-06-01", "2025-07-01"],
            "test": ["2025-07-01", "2025-08-15"],
        },
        "validation_every": "17h",
        "test_every": "19h",
        "simulated": {"days": 240},
    },
    "search": {"max_steps": 400, "finalists": 3, "final_seeds": 1},
}
_SHARED = ("d_model", "history", "patch", "training", "head")


def handpicked_config(
    file: Path | str | None, candidates: Sequence[str | Config], settings: Iterable[str] = ()
) -> SearchConfig:
    """Return the config of a search over ``candidates`` alone.

    Args:
        file: a sweep file, None for the simulated market.
        candidates: presets by name and plain configs; see ``presets.hand_written``.
        settings: ``key=value`` over the sweep file.

    Raises:
        ConfigError: the sweep file or a setting is wrong.
    """
    config = parse_config(SIMULATED, settings) if file is None else load_config(file, settings)
    budget = replace(
        config.search,
        candidates=tuple(_by_short_names(candidate) for candidate in candidates),
        earlier=(),
        arms={},
        trials=len(candidates),
        time_budget=None,
        trial_time=None,
        deterministic=True,
        generation=max(1, len(candidates)),
    )
    return replace(config, search=budget)


def _by_short_names(candidate: str | Config) -> str | Config:
    """Let people name blocks and heads by their classes; records know their short names alone."""
    if isinstance(candidate, str):
        return candidate
    from synthcity.nets.registry import short_name

    def renamed(kind: str, part: object) -> object:
        if not isinstance(part, Mapping) or not isinstance(part.get("name"), str):
            return part
        return {**part, "name": short_name(kind, part["name"])}

    plain = dict(candidate)
    if isinstance(plain.get("blocks"), list):
        plain["blocks"] = [renamed("block", block) for block in plain["blocks"]]
    return plain | ({"head": renamed("head", plain["head"])} if "head" in plain else {})


def compose(blocks: Sequence[str], head: str, settings: Iterable[str]) -> tuple[Config, list[str]]:
    """Build a plain network config from names and ``key=value`` settings; return it with the settings left over.

    Settings of a network are ``d_model``, ``history``, ``patch``, ``training.<name>``, ``head.<option>`` and
    ``block<number>.<option>``, numbered from 0; keys of a sweep file are left over.

    Raises:
        ConfigError: a key is neither, or names a block that is not there, or a value is no YAML.
    """
    slots = {f"block{number}": {"name": name} for number, name in enumerate(blocks)}
    known = {*(field.name for field in fields(SearchConfig)), *_SHARED, *slots}
    mine: list[str] = []
    others: list[str] = []
    for setting in settings:
        first = re.split(r"[.=]", setting, maxsplit=1)[0].strip()
        if "=" in setting and first not in known:
            raise ConfigError(unknown_name("setting", first, known))
        (mine if first in _SHARED or first in slots else others).append(setting)
    plain = apply_settings({**slots, "head": {"name": head}}, mine)
    chain = [plain.pop(slot) for slot in slots]
    return {**plain, "blocks": chain}, others
