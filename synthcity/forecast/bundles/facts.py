"""What a bundle was made from, as its manifest tells it: prices, competition, rules, assets, periods."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from synthcity.errors import BundleError, ConfigError
from synthcity.market.periods import Period, Periods
from synthcity.market.store.series import SIMULATED
from synthcity.market.times import parse_time

UNKNOWN = "unknown"
PERIODS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Where a forecaster comes from; what an older bundle does not tell is None or empty, and shown as unknown.

    Attributes:
        venues: whose prices it was trained on; ``SIMULATED`` among them where they were not real.
        competition, rules: what it was trained and judged for, by name and date.
        assets: that it knows.
        periods: "train", "validation" and "test"; its networks learned from the first two.
        refit_of: sha256 of the manifest of the bundle whose networks were trained again to make this one, on all of
            ``periods["train"]``; no verdict speaks of it.
        drawn_minutes: whether networks learned from minutes, too, that were drawn between coarser bars.
    """

    venues: tuple[str, ...] = ()
    competition: str | None = None
    rules: str | None = None
    assets: tuple[str, ...] = ()
    periods: Mapping[str, Period] = field(default_factory=dict)
    refit_of: str | None = None
    drawn_minutes: bool = False

    @classmethod
    def of_search(
        cls,
        *,
        venues: Sequence[str],
        competition: str,
        rules: str,
        assets: Sequence[str],
        periods: Periods,
        drawn_minutes: bool = False,
    ) -> Facts:
        """Return the facts of what a search freezes."""
        return cls(
            venues=tuple(venues),
            competition=competition,
            rules=rules,
            assets=tuple(assets),
            periods={name: getattr(periods, name) for name in PERIODS},
            drawn_minutes=drawn_minutes,
        )

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, object], where: str) -> Facts:
        """Read what a manifest tells.

        Args:
            where: its file, for the sentence of an error.

        Raises:
            BundleError: a fact is there and makes no sense.
        """
        try:
            return cls(
                venues=_names(manifest, "venues"),
                competition=_text(manifest, "competition"),
                rules=_text(manifest, "rules"),
                assets=_names(manifest, "assets"),
                periods=_periods(manifest),
                refit_of=_text(manifest, "refit_of"),
                drawn_minutes=_flag(manifest, "drawn_minutes"),
            )
        except (ValueError, ConfigError) as error:
            raise BundleError(f"{where} makes no sense: {error}; copy the bundle again") from error

    def to_manifest(self) -> dict[str, object]:
        """Return plain JSON data of what is known."""
        known = {
            "venues": list(self.venues),
            "competition": self.competition,
            "rules": self.rules,
            "assets": list(self.assets),
            "periods": {name: str(period) for name, period in self.periods.items()},
            "refit_of": self.refit_of,
            "drawn_minutes": self.drawn_minutes,
        }
        return {name: value for name, value in known.items() if value}

    @property
    def is_known(self) -> bool:
        """Whether anything is told at all."""
        return self != Facts()

    @property
    def is_simulated(self) -> bool:
        """Whether the prices, or some of them, are known not to be real."""
        return SIMULATED in self.venues

    @property
    def learned(self) -> Period | None:
        """The span whose prices trained or chose it, None if unknown."""
        if self.refit_of is not None:
            return self.periods.get("train")
        if not {"train", "validation"} <= self.periods.keys():
            return None
        return Period(start=self.periods["train"].start, end=self.periods["validation"].end)

    def __str__(self) -> str:
        """As in "prices of binance, crypto-24h, rules 2026-09, BTC and ETH, learned 2025-01-01 to 2025-10-31"."""
        prices = "SIMULATED prices" if self.is_simulated else f"prices of {', '.join(self.venues) or UNKNOWN} origin"
        assets = ", ".join(self.assets) or f"{UNKNOWN} assets"
        span = UNKNOWN if self.learned is None else str(self.learned)
        told = f"{prices}; {self.competition or UNKNOWN}, rules {self.rules or UNKNOWN}; {assets}; learned from {span}"
        told += ", in part from DRAWN minutes" if self.drawn_minutes else ""
        return told if self.refit_of is None else f"{told}, REFITTED from bundle {self.refit_of[:12]} without a verdict"


# so that what is loaded and saved again, alone or in a mix, still tells where it comes from
_KEPT: WeakKeyDictionary[object, Facts] = WeakKeyDictionary()


def keep_facts(forecaster: object, facts: Facts) -> None:
    """Remember what the bundle told that ``forecaster`` was loaded from."""
    with contextlib.suppress(TypeError):  # without a hash or weak references it is unknown where it is saved again
        _KEPT[forecaster] = facts


def facts_kept(forecaster: object) -> Facts | None:
    """Return what is remembered of ``forecaster``, None of one that was not loaded or whose bundle told nothing."""
    with contextlib.suppress(TypeError):  # as above
        if forecaster in _KEPT and _KEPT[forecaster].is_known:
            return _KEPT[forecaster]
    return None


def kept_facts(forecaster: object) -> dict[str, object]:
    """Return what is remembered of ``forecaster``, as ``Facts.to_manifest``; nothing of one that was not loaded."""
    facts = facts_kept(forecaster)
    return {} if facts is None else facts.to_manifest()


def _text(manifest: Mapping[str, object], name: str) -> str | None:
    value = manifest.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, not a text")
    return value


def _flag(manifest: Mapping[str, object], name: str) -> bool:
    value = manifest.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}, neither true nor false")
    return value


def _names(manifest: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = manifest.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{name} is {value!r}, not a list of texts")
    return tuple(value)


def _periods(manifest: Mapping[str, object]) -> dict[str, Period]:
    value = manifest.get("periods", {})
    if not isinstance(value, dict) or not all(isinstance(span, str) for span in value.values()):
        raise ValueError(f"periods are {value!r}, not texts by name")
    found = {}
    for name in PERIODS:
        if name in value:
            start, _, end = value[name].partition(" to ")
            found[name] = Period(start=parse_time(start), end=parse_time(end))
    return found
