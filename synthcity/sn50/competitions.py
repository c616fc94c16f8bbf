"""The subnet's rules as dated data: what is asked, how it is scored and what it pays.

Every number lives in ``rules/<date>.json``; a new asset or a changed rule is a change of those files alone.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from types import MappingProxyType
from typing import Literal

from synthcity import plugins
from synthcity.errors import ConfigError, unknown_name
from synthcity.schema import build


@dataclass(frozen=True, kw_only=True)
class Interval:
    """One horizon of the score; the suffix of the network's name says what is compared."""

    name: str
    seconds: int

    @property
    def kind(self) -> Literal["change", "first_change", "price"]:
        """``change``: every step; ``first_change`` (``_gaps``): from t0 only; ``price`` (``_abs``)."""
        if self.name.endswith("_gaps"):
            return "first_change"
        return "price" if self.name.endswith("_abs") else "change"


@dataclass(frozen=True, kw_only=True)
class VolatilityBlock:
    """Blocks of ``seconds`` whose standard deviations of one-step changes are scored, times ``weight``."""

    name: str
    seconds: int
    weight: float


@dataclass(frozen=True, kw_only=True)
class Competition:
    """One block of the leaderboard.

    ``deadline_extra_seconds``: t0 is the time of asking rounded up to the minute plus this; the answer is due
    at t0. ``beta``: exponent of the softmax payout per basis point. ``weight``: share of all payouts.
    ``bucket_seconds``: of all prompts of an asset that start in one such span, the network scores one.
    """

    name: str
    assets: tuple[str, ...]
    time_length: int
    time_increment: int
    intervals: tuple[Interval, ...]
    volatility_blocks: tuple[VolatilityBlock, ...]
    window_days: int
    beta: float
    weight: float
    deadline_extra_seconds: int
    bucket_seconds: int

    def __post_init__(self) -> None:
        if self.time_increment <= 0 or self.time_length <= 0 or self.time_length % self.time_increment:
            raise ConfigError(f"{self.name}: time_length {self.time_length} is no multiple of {self.time_increment}")
        for horizon in self.horizons:
            if not 0 < horizon.seconds <= self.time_length or horizon.seconds % self.time_increment:
                raise ConfigError(
                    f"{self.name}: {horizon.name} of {horizon.seconds} s is no multiple of "
                    f"{self.time_increment} s up to {self.time_length} s"
                )

    @property
    def horizons(self) -> tuple[Interval | VolatilityBlock, ...]:
        """Intervals, then volatility blocks: everything that has a sum of its own in a score."""
        return (*self.intervals, *self.volatility_blocks)

    @property
    def num_points(self) -> int:
        """Points of a path, t0 included."""
        return self.time_length // self.time_increment + 1


@dataclass(frozen=True, kw_only=True)
class PromptScoreRule:
    """How raw scores of one prompt become prompt scores.

    ``percentile``: of the valid scores, given to invalid answers. ``outlier_medians``: valid scores above so
    many medians are cut there and kept out of the percentile. ``cap_at_percentile``: nobody scores worse.
    """

    percentile: float
    outlier_medians: float | None
    cap_at_percentile: bool


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All rules of one date.

    ``invalid_total``: totals that count as invalid (``nan`` only, or everything ``nonfinite``).
    ``digit_rule``: how the digits of a price are counted (see ``submission``).
    """

    date: str
    competitions: Mapping[str, Competition]
    competition_aliases: Mapping[str, str]
    coefficients: Mapping[str, float]
    asset_aliases: Mapping[str, str]
    invalid_total: Literal["nan", "nonfinite"]
    digit_rule: Literal["characters", "significant"]
    prompt_score: PromptScoreRule

    def coefficient(self, asset: str) -> float:
        """Weight of an asset in the rolling average; 1 for an asset the rules do not list."""
        return self.coefficients.get(self.asset_aliases.get(asset, asset), 1.0)


@functools.cache
def rule_dates() -> tuple[str, ...]:
    """Dates of the packaged rules, oldest first."""
    folder = resources.files("synthcity.sn50") / "rules"
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".json")))


def get_rules(date: str | Rules | None = None) -> Rules:
    """Return the rules of ``date`` (such as ``"2026-05"``), the newest packaged ones by default.

    Rules of an installed distribution (entry points ``synthcity.rules``) go by their own names; ``Rules`` are returned
    as they are.

    Raises:
        ValueError: there are none of this date.
    """
    if isinstance(date, Rules):
        return date
    date = rule_dates()[-1] if date is None else date
    if date in rule_dates():
        return _load(date)
    names = plugins.merged("rules", rule_dates())
    if date not in names:
        raise ValueError(unknown_name("rules", date, names))
    return _installed(plugins.installed("rules")[date])


def known_assets() -> frozenset[str]:
    """Return every asset that some rules know, under its own name or another: packaged ones, and others once read."""
    return frozenset().union(_packaged_assets(), *_more_assets)


def get_competition(name: str | Competition, rules: Rules | str | None = None) -> Competition:
    """Return the competition called ``name``, or known under that alias, in ``rules`` (default: newest).

    Raises:
        ValueError: there is none of that name.
    """
    if isinstance(name, Competition):
        return name
    rules = get_rules(rules)
    resolved = rules.competition_aliases.get(name, name)
    if resolved not in rules.competitions:
        valid = [*rules.competitions, *rules.competition_aliases]
        raise ValueError(f"{unknown_name('competition', name, valid)} (rules of {rules.date})")
    return rules.competitions[resolved]


def competition_of(asset: str, time_length: int, rules: Rules | None = None) -> Competition:
    """Return the competition that a request belongs to: a request names only its asset and length.

    An asset that no competition of this length lists belongs to the first of this length.

    Raises:
        ValueError: no competition is this long.
    """
    rules = get_rules() if rules is None else rules
    fitting = [c for c in rules.competitions.values() if c.time_length == time_length]
    if not fitting:
        lengths = sorted({c.time_length for c in rules.competitions.values()})
        raise ValueError(f"no competition asks for {time_length} s; the rules of {rules.date} have {lengths}")
    name = rules.asset_aliases.get(asset, asset)
    return next((c for c in fitting if asset in c.assets or name in c.assets), fitting[0])


@functools.cache
def _load(date: str) -> Rules:
    file = resources.files("synthcity.sn50") / "rules" / f"{date}.json"
    return parse_rules(json.loads(file.read_text(encoding="utf-8")), where=f"rules/{date}.json")


@functools.cache
def _installed(plugin: plugins.Plugin) -> Rules:
    data = plugins.load(plugin)
    if not isinstance(data, Mapping):
        raise ConfigError(f"the {plugin} must be a mapping like those in sn50/rules, not {type(data).__name__}")
    rules = parse_rules(data, where=plugin.reference)
    _more_assets.append(_assets_of(rules))
    return rules


_more_assets: list[frozenset[str]] = []


@functools.cache
def _packaged_assets() -> frozenset[str]:
    return frozenset().union(*(_assets_of(_load(date)) for date in rule_dates()))


def _assets_of(rules: Rules) -> frozenset[str]:
    asked = (competition.assets for competition in rules.competitions.values())
    return frozenset(rules.coefficients).union(rules.asset_aliases, *asked)


def parse_rules(data: Mapping[str, object], *, where: str) -> Rules:
    """Build ``Rules`` from decoded JSON; ``ConfigError`` names the first key that is wrong in ``where``."""
    try:
        rules = build(Rules, _with_names(data), where="it")
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    tables = {"competition_aliases": rules.competitions, "asset_aliases": rules.coefficients}
    for aliases, known in tables.items():
        for alias, target in getattr(rules, aliases).items():
            if target not in known:
                raise ConfigError(f"{where}: {aliases} {alias!r}: {unknown_name('target', target, known)}")
    return replace(
        rules,
        competitions=MappingProxyType(rules.competitions),
        competition_aliases=MappingProxyType(rules.competition_aliases),
        coefficients=MappingProxyType(rules.coefficients),
        asset_aliases=MappingProxyType(rules.asset_aliases),
    )


def _with_names(data: Mapping[str, object]) -> Mapping[str, object]:
    """Write names, which are keys in the files, into what they name."""
    competitions = data.get("competitions")
    if not isinstance(competitions, Mapping):
        return data
    return {**data, "competitions": {name: _with_name(name, value) for name, value in competitions.items()}}


def _with_name(name: str, competition: object) -> object:
    if not isinstance(competition, Mapping):
        return competition
    named = {**competition, "name": name}
    if isinstance(intervals := named.get("intervals"), Mapping):
        named["intervals"] = [{"name": key, "seconds": seconds} for key, seconds in intervals.items()]
    if isinstance(blocks := named.get("volatility_blocks"), Mapping):
        named["volatility_blocks"] = [
            {**block, "name": key} if isinstance(block, Mapping) else block for key, block in blocks.items()
        ]
    return named
