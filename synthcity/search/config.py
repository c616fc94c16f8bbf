"""The sweep file: what to search, on which prices, with which budget."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthcity.agents.config import LLMConfig
from synthcity.documents import apply_settings, read_yaml
from synthcity.durations import DAY, HOUR
from synthcity.errors import ConfigError
from synthcity.forecast.weights import MAX_MEMBERS
from synthcity.market.periods import Periods
from synthcity.market.simulated import SimulatedConfig
from synthcity.schema import MAX_SEED, build, duration, key, local_path, local_paths, plain
from synthcity.search.arms import LLM
from synthcity.search.candidates.candidate import Config
from synthcity.search.recent import VAULT, freeze_periods
from synthcity.vault.opening import vault_address

MOST_RUNS = 5  # that a search is told of
_LAST = re.compile(r"vault:last ([1-9][0-9]{0,3})")
_OVERRUN = 3.0  # the gate times two steps alone; a training is cut off that takes clearly longer than it says


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which prices, which periods, what networks are told of them, and how often a forecast is asked for.

    ``bursts``: whether networks are told of the bursts of volatility on the marks of the clock. ``calendar``: whether
    they are told of releases that are known to come; simulated prices have no such calendar. ``drawn_minutes``: whether
    networks that work in minutes also learn from those before the first, drawn between five-minute bars.
    """

    periods: Periods
    source: str = key("store", choices=("store", "simulated"))
    path: str | None = key(None, parse=local_path)
    venue: str | None = key(None)
    assets: tuple[str, ...] | None = key(None)
    validation_every: float = duration(11.0 * HOUR, low=1, high=366 * DAY)
    test_every: float = duration(11.0 * HOUR, low=1, high=366 * DAY)
    bursts: bool = True
    calendar: bool = True
    drawn_minutes: bool = False
    simulated: SimulatedConfig = field(default_factory=SimulatedConfig)

    @property
    def in_vault(self) -> str | None:
        """Name or id of the price store where ``path`` says that the vault has it, as in ``vault:store``."""
        return self.path[len(VAULT) :] if self.path is not None and self.path.startswith(VAULT) else None


@dataclass(frozen=True, kw_only=True)
class ArmConfig:
    """One proposer's part of the trials: where it starts and between which bounds it may move."""

    share: float = key(low=0.0, high=1.0)
    floor: float = key(0.0, low=0.0, high=1.0)
    ceiling: float = key(1.0, low=0.0, high=1.0)


@dataclass(frozen=True, kw_only=True)
class BesideConfig:
    """Research beside the trials, see docs/research.md; 0 ``rounds`` is none.

    ``trials``: inputs and forecasters that a round tests, as many by a control as by the language model. ``wait``: how
    long finals wait for it at most when the last trial is over; never longer than trials might have taken.
    """

    rounds: int = key(0, low=0, high=1000)
    trials: int = key(4, low=1, high=100)
    wait: float = duration(300.0, low=0, high=DAY)


def default_arms() -> dict[str, ArmConfig]:
    """A Gaussian process leads; others see what it does not, and random search keeps the door open."""
    return {
        "gp": ArmConfig(share=0.6, floor=0.5, ceiling=0.9),
        "tpe": ArmConfig(share=0.15, floor=0.05, ceiling=0.5),
        "refine": ArmConfig(share=0.15, floor=0.05, ceiling=0.5),
        "random": ArmConfig(share=0.1, floor=0.05, ceiling=0.5),
    }


def _candidates(value: object) -> tuple[str | Config, ...]:
    """Read presets by name and networks as mappings; whether there are such is found out when they are wanted."""
    if not isinstance(value, list | tuple) or not all(isinstance(item, str | Mapping) for item in value):
        raise ValueError("a list of presets and networks such as [lstm_gbm, {blocks: [{name: tcn}]}]")
    return tuple(value)


def last_of_vault(name: str) -> int | None:
    """Return how many runs of the vault an item of ``search.earlier`` asks for; None where it names a folder."""
    match = _LAST.fullmatch(name)
    return int(match[1]) if match else None


def _earlier(value: object) -> tuple[str, ...]:
    names = local_paths(value)
    for name in names:
        if name.startswith("vault:") and not 1 <= (last_of_vault(name) or 0) <= MOST_RUNS:
            raise ValueError(f"folders of runs, or vault:last 1 to vault:last {MOST_RUNS}")
    return names


def milestones(num_rungs: int, reduction: float) -> list[int]:
    """Return the rungs at which halving may stop a trial: 1, reduction, reduction^2 ... below the last."""
    rungs, at = [], 1.0
    while round(at) < num_rungs:
        rungs.append(round(at))
        at *= reduction
    return sorted(set(rungs))


@dataclass(frozen=True, kw_only=True)
class BudgetConfig:
    """How long and how hard to search."""

    trials: int = key(40, low=1, high=100_000)
    time_budget: float | None = duration(None, high=366 * DAY)
    finals_share: float = key(0.2, low=0.0, high=0.9)
    seed: int = key(0, low=0, high=MAX_SEED)
    deterministic: bool = key(False)
    generation: int = key(4, low=1, high=10_000)
    workers: int | None = key(None, low=1, high=256)
    gpus_per_trial: float | None = key(None, low=0.0, high=1.0)
    rungs: int = key(4, low=1, high=100)
    max_steps: int = key(1500, low=1, high=10_000_000)
    reduction: float = key(3.0, low=1.5, high=100.0)
    patience: int | None = key(None, low=1, high=100_000)
    trial_time: float | None = duration(None, high=31 * DAY)
    max_parameters: int = key(5_000_000, low=1, high=1_000_000_000)
    max_blocks: int = key(3, low=1, high=4)  # nets.config.MAX_BLOCKS, which would load torch
    recipe: tuple[str, ...] = key((), choices=("steps", "schedule", "tilt", "half_life"))  # nets.config.RECIPE
    candidates: tuple[str | Config, ...] | None = key(None, parse=_candidates)
    earlier: tuple[str, ...] = key((), parse=_earlier)
    arms: Mapping[str, ArmConfig] = field(default_factory=default_arms)
    llm_ceiling: float = key(0.4, low=0.0, high=1.0)
    debugger: str = key("catalogue", choices=("off", "catalogue", "llm"))
    author: int = key(0, low=0, high=8)
    finalists: int = key(4, low=1, high=MAX_MEMBERS - 1)  # the best baseline is mixed with them
    final_seeds: int = key(2, low=1, high=100)
    storage: str | None = key(None, parse=local_path)
    library: str | None = key(None, parse=local_path)  # of `synthcity research`; what it keeps is used
    research: BesideConfig = field(default_factory=BesideConfig)

    @property
    def asks_model(self) -> bool:
        """Whether an arm, the debugger or research asks a language model while candidates are trained."""
        return self.debugger == "llm" or bool(self.research.rounds) or any(name.startswith(LLM) for name in self.arms)

    @property
    def milestones(self) -> list[int]:
        """Rungs at which trials may be stopped; none where the faster of two must not decide."""
        return [] if self.deterministic else milestones(self.rungs, self.reduction)

    @property
    def max_step_seconds(self) -> float | None:
        """Seconds a training step may take; None for any, and always where a clock must not decide."""
        return None if self.trial_time is None or self.deterministic else self.trial_time / self.max_steps

    @property
    def max_rung_seconds(self) -> float | None:
        """Seconds after which the training of a rung is cut off; None for never."""
        return None if self.max_step_seconds is None else _OVERRUN * self.max_step_seconds * self.max_steps / self.rungs


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """One search, complete: what a sweep file says after defaults and ``--set``."""

    competition: str
    data: DataConfig
    rules: str | None = key(None)
    name: str | None = key(None)
    output: str = key("runs", parse=local_path)
    vault: str | None = key(None, parse=vault_address)
    search: BudgetConfig = field(default_factory=BudgetConfig)
    track: tuple[str, ...] = key(())
    llm: LLMConfig = field(default_factory=LLMConfig)

    def __post_init__(self) -> None:
        if self.data.source == "store" and self.data.path is None:
            raise ConfigError("data.path must name the price store when data.source is 'store'")
        if self.data.in_vault is not None and self.vault is None:
            raise ConfigError(f"data.path is {self.data.path}; set vault to a folder or s3://bucket/prefix")
        if self.data.assets is not None and not self.data.assets:
            raise ConfigError("data.assets must name at least one asset or be left out")
        if self.name is not None and (Path(self.name).name != self.name or self.name in ("", ".", "..")):
            raise ConfigError(f"name must be a plain folder name, got {self.name!r}")
        if self.vault is None and any(last_of_vault(name) for name in self.search.earlier):
            raise ConfigError("search.earlier asks for runs of the vault; set vault to a folder or s3://bucket/prefix")
        if self.search.deterministic and self.search.time_budget is not None:
            raise ConfigError(
                "search.deterministic repeats a search exactly, which a clock cannot: set search.time_budget to null"
            )
        _check_places(self.search)
        _check_arms(self.search)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that :func:`parse_config` reads back to an equal config."""
        return dict(plain(self))


def load_config(path: Path | str, settings: Iterable[str] = ()) -> SearchConfig:
    """Read a sweep file and apply ``key=value`` settings over it.

    Raises:
        ConfigError: the file cannot be read, is no YAML mapping, or a key or value is wrong.
    """
    document = read_yaml(path, "sweep file")
    settings = list(settings)
    with document.located(settings):
        return parse_config(document.data, settings)


def parse_config(data: object, settings: Iterable[str] = ()) -> SearchConfig:
    """Build a config from plain data and ``key=value`` settings."""
    if isinstance(data, Mapping):
        data = freeze_periods(_join_arm_names(apply_settings(_join_arm_names(data), settings)))
    return build(SearchConfig, data)


def _join_arm_names(data: Mapping[str, Any]) -> dict[str, Any]:
    """Write the arms ``llm: {refine: ...}``, as a dotted key makes them, as ``llm.refine: ...``."""
    search = data.get("search")
    arms = search.get("arms") if isinstance(search, Mapping) else None
    nested = arms.get(LLM.rstrip(".")) if isinstance(arms, Mapping) else None
    if not isinstance(search, Mapping) or not isinstance(arms, Mapping) or not isinstance(nested, Mapping):
        return dict(data)
    joined = {name: value for name, value in arms.items() if value is not nested}
    for name, value in nested.items():
        before = joined.get(f"{LLM}{name}")
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        joined[f"{LLM}{name}"] = {**before, **value} if both else value  # type: ignore[dict-item]
    return {**data, "search": {**search, "arms": joined}}


def _check_places(search: BudgetConfig) -> None:
    takers = ["search.library"] * (search.library is not None) + ["search.research"] * bool(search.research.rounds)
    most = MAX_MEMBERS - 1 - len(takers)
    if search.finalists > most:
        raise ConfigError(
            f"search.finalists must be {most} at most with {' and '.join(takers)}, got {search.finalists}: "
            f"what {'each' if len(takers) > 1 else 'it'} keeps takes a place in the mix"
        )


def _check_arms(search: BudgetConfig) -> None:
    arms = search.arms
    if not arms and search.candidates:
        return  # nobody proposes: a comparison of what was written by hand
    if not arms:
        raise ConfigError("search.arms must name at least one proposer, or search.candidates what to compare without")
    for name, arm in arms.items():
        if not arm.floor <= arm.share <= arm.ceiling:
            raise ConfigError(
                f"search.arms.{name} needs floor <= share <= ceiling, got {arm.floor}, {arm.share}, {arm.ceiling}"
            )
    if sum(arm.floor for arm in arms.values()) > 1:
        raise ConfigError("the floors in search.arms add up to more than 1")
    if search.author and search.deterministic:
        raise ConfigError(
            "search.deterministic repeats a search exactly, which a language model cannot: set author to 0"
        )
    if search.research.rounds and search.deterministic:
        raise ConfigError(
            "search.deterministic repeats a search exactly, which research that ends with the trials cannot: set "
            "search.research.rounds to 0"
        )
    asking = {name: arm for name, arm in arms.items() if name.startswith(LLM)}
    if asking and search.deterministic:
        raise ConfigError(
            f"search.deterministic repeats a search exactly, which a language model cannot: leave {min(asking)} out"
        )
    if search.debugger == "llm" and search.deterministic:
        raise ConfigError(
            "search.deterministic repeats a search exactly, which a language model cannot: set search.debugger to "
            "catalogue"
        )
    classical = sum(arm.ceiling for name, arm in arms.items() if name not in asking)
    if classical + min(sum(arm.ceiling for arm in asking.values()), search.llm_ceiling) < 1:
        raise ConfigError("the ceilings in search.arms, with search.llm_ceiling, add up to less than 1")
