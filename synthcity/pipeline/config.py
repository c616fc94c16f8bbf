"""The pipeline file: which sweeps are searched again and again, on how long a past, within which bounds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from synthcity.documents import apply_settings as apply
from synthcity.documents import read_yaml
from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.forecast.weights import MAX_MEMBERS
from synthcity.market.periods import recent_periods
from synthcity.schema import build, check, duration, key, local_path, local_paths
from synthcity.search.config import SearchConfig, parse_config
from synthcity.sn50.competitions import get_competition

MOST_ROUNDS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class PipelineConfig:
    """One pipeline, complete.

    Attributes:
        sweeps: sweep files, one a competition; a relative name is looked for beside the pipeline file.
        folder: of the journal and the runs; by default ``pipelines/<name of the file>``.
        periods: how long a past each round learns from and is judged on, counted back from the newest whole day.
        settings: ``key=value`` over every sweep file.
        download: ask the venues for what the store lacks; false where a miner or a feed fills it.
        publish: send what is proven to the Hub.
        deploy: state folder of the miner that gets what is proven as its challenger.
        cluster: name of one that `synthcity cluster up` started here, on whose nodes rounds are searched; None for this
            machine.
        research: inputs that `synthcity research` tests at the beginning of each round; 0 for none.
        retries: plans of a round, and attempts of a step whose trouble passes, after the first.
        temperature: of the first plan; each further one of a round is warmer by 0.1, up to 1.
        rounds: how many there are to be in all; None for ever.
        every: from one beginning of a round to the next, at least.
        budget_usd: what all rounds may spend on language models; 0 asks none.
        budget_time: what all rounds may take for searching.
    """

    sweeps: tuple[str, ...] = key(parse=local_paths)
    folder: str | None = key(None, parse=local_path)
    periods: str = "last 12 months"
    settings: tuple[str, ...] = ()
    download: bool = True
    publish: bool = False
    deploy: str | None = key(None, parse=local_path)
    cluster: str | None = None
    research: int = key(0, low=0, high=100)
    retries: int = key(5, low=1, high=100)
    temperature: float = key(0.1, low=0.0, high=1.0)
    rounds: int | None = key(1, low=1, high=MOST_ROUNDS)
    every: float = duration(12 * 3600.0, low=0, high=366 * DAY)
    budget_usd: float | None = key(None, low=0, high=1e6)
    budget_time: float | None = duration(None, low=1, high=3660 * DAY)

    def __post_init__(self) -> None:
        check(self)
        if not self.sweeps:
            raise ConfigError("sweeps must name at least one sweep file")
        try:
            recent_periods(self.periods, 20_000 * DAY)
        except ConfigError as error:
            raise ConfigError(f"periods: {error}") from error


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """One sweep file: ``data`` as it stands, ``config`` what it says with periods that are yet to be chosen."""

    data: Mapping[str, object]
    config: SearchConfig

    @property
    def is_simulated(self) -> bool:
        """Whether its prices are made up."""
        return self.config.data.source == "simulated"


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A pipeline file with all that it names: ``folder`` is the pipeline's, ``sweeps`` by competition."""

    config: PipelineConfig
    folder: Path
    sweeps: Mapping[str, Sweep] = field(default_factory=dict)

    @property
    def is_rehearsal(self) -> bool:
        """Whether prices are stand-ins; where what is found goes follows from that, and from nothing else."""
        return any(sweep.is_simulated for sweep in self.sweeps.values())


def load_pipeline(path: Path, settings: Iterable[str] = (), *, forever: bool = False, **options: object) -> Opening:
    """Read a pipeline file and the sweep files that it names, so that whatever is wrong is told before all else.

    Args:
        path: the file.
        settings: ``key=value`` over it.
        forever: whatever number of rounds the file says.
        options: values of the command line, by key; None leaves what the file says.

    Raises:
        ConfigError: a file cannot be read, a key or value is wrong, two sweeps are of one competition, or some prices
            are real and some are simulated.
    """
    document, settings = read_yaml(path, "pipeline file"), list(settings)
    with document.located(settings):
        data = document.data
        config = build(PipelineConfig, apply(data, settings) if isinstance(data, Mapping) else data)
        given = {name: value for name, value in options.items() if value is not None} | (
            {"rounds": None} if forever else {}
        )
        config = replace(config, **given)  # type: ignore[arg-type] # held against the fields by __post_init__
    sweeps: dict[str, Sweep] = {}
    for name in config.sweeps:
        sweep = _sweep(name if os.path.isabs(name) else str(path.parent / name), config.settings)
        if (competition := sweep.config.competition) in sweeps:
            raise ConfigError(f"sweeps: two of them are of {competition}; name one sweep file a competition")
        if config.research and sweep.config.search.finalists > MAX_MEMBERS - 2:
            most = f"{MAX_MEMBERS - 2} at most with research, whose inputs take a place in the mix"
            raise ConfigError(f"{name}: search.finalists must be {most}, got {sweep.config.search.finalists}")
        if sweep.config.search.research.rounds:  # what its model writes would be code in a winner that nobody read
            raise ConfigError(f"{name}: set search.research.rounds to 0; a round of a pipeline has research of its own")
        sweeps[competition] = sweep
    if len({sweep.is_simulated for sweep in sweeps.values()}) > 1:
        raise ConfigError("sweeps: some prices are real and some are simulated; a rehearsal is simulated throughout")
    folder = Path(config.folder or Path("pipelines") / path.stem)
    return Opening(config=config, folder=folder, sweeps=sweeps)


def _sweep(path: str, settings: Iterable[str]) -> Sweep:
    document, settings = read_yaml(path, "sweep file"), list(settings)
    with document.located(settings):
        data = apply(cast(Mapping[str, object], document.data), settings) if settings else document.data
        if not isinstance(data, Mapping):
            raise ConfigError("a sweep file holds keys and values")
        # any dates will do here: each round chooses its own, and what is wrong with the rest is told now
        dates = {"train": ["2025-01-01", "2025-06-01"], "validation": ["2025-06-01", "2025-07-01"]}
        dates["test"] = ["2025-07-01", "2025-08-01"]
        config = parse_config(with_data(data, periods=dates))
        try:
            get_competition(config.competition, config.rules)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        return Sweep(data=data, config=config)


def with_data(data: Mapping[str, object], **changes: object) -> dict[str, object]:
    """Return a sweep's plain data with changes in its section ``data``."""
    section = data.get("data")
    return {**data, "data": {**(section if isinstance(section, Mapping) else {}), **changes}}
