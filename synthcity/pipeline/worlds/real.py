"""The world of real prices: the venues that the network settles by, the Hub, and a miner that answers validators."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

from synthcity.durations import DAY
from synthcity.errors import ConfigError, SourceError
from synthcity.history.local import list_local
from synthcity.market.download import download
from synthcity.market.periods import recent_start
from synthcity.market.store import open_store
from synthcity.market.store.opening import is_address
from synthcity.market.times import format_time, parse_time
from synthcity.market.venues.official import official_source
from synthcity.pipeline.config import PipelineConfig, Sweep, with_data
from synthcity.pipeline.state import State
from synthcity.pipeline.worlds.world import Fresh
from synthcity.publish.hub import Hub
from synthcity.publish.remote import Remote
from synthcity.publish.standin.shelf import MARK
from synthcity.search.config import parse_config
from synthcity.settings import Settings
from synthcity.sn50.competitions import get_competition

LATE_DAYS = 3
"""Prices whose newest whole day ended longer ago are late: a verdict on them would be of the past."""


class Real:
    """See above."""

    mark = ""
    patience = float(DAY)

    def __init__(self, config: PipelineConfig, settings: Settings) -> None:
        self._config, self._settings = config, settings

    def now(self, state: State) -> float:
        """The machine's clock."""
        return time.time()

    def wait(self, until: float) -> None:
        """Sleep; a signal ends it."""
        threading.Event().wait(max(0.0, until - time.time()))

    def fresh(self, sweep: Sweep, state: State) -> Fresh:
        """Download what the store lacks, and see how far it reaches."""
        data = sweep.config.data
        assert data.path is not None
        if self._config.download and not is_address(data.path):
            self._download(sweep, data.path)
        found = parse_config(with_data(sweep.data, periods=self._config.periods)).data
        periods = found.periods
        start, end = periods.train.start, periods.test.end
        if end < time.time() - (LATE_DAYS + 1) * DAY:
            raise SourceError(f"prices in {data.path} are late: the newest whole day ended on {format_time(end)}")
        return Fresh(start=start, end=end, assets=found.assets or ())

    def first(self, sweep: Sweep) -> Mapping[str, int]:
        """When the store begins."""
        store, increment = open_store(self.store(sweep, State())), _increment(sweep)
        found: dict[str, int] = {}
        for series in store.series():
            if series.resolution == increment:
                found[series.asset] = min(store.span(series)[0], found.get(series.asset, 2**62))
        return found

    def store(self, sweep: Sweep, state: State) -> str:
        """The sweep's own."""
        assert sweep.config.data.path is not None
        return sweep.config.data.path

    def looked_until(self, sweep: Sweep) -> int | None:
        """Look at the runs that people made of the same sweep file: they have seen their test periods, too."""
        ends = [
            parse_time(row.periods["test"][1])
            for row in list_local(Path(sweep.config.output)).rows
            if row.competition == sweep.config.competition and not row.is_simulated and "test" in row.periods
        ]
        return max(ends, default=None)

    def hub(self) -> Hub:
        """The repository of the settings."""
        remote = Remote.of(self._settings)
        remote.check()
        return remote

    def settle(self, state: State) -> None:
        """The miner settles by itself."""

    def _download(self, sweep: Sweep, path: str) -> None:
        competition = get_competition(sweep.config.competition, sweep.config.rules)
        now = int(time.time())
        start = recent_start(self._config.periods, now // DAY * DAY)
        store = open_store(path)
        for asset in sweep.config.data.assets or competition.assets:
            download(store, official_source(asset, self._settings), asset, competition.time_increment, start, now)


def _increment(sweep: Sweep) -> int:
    return get_competition(sweep.config.competition, sweep.config.rules).time_increment


def check_real(config: PipelineConfig, settings: Settings) -> None:
    """Refuse at once what would fail hours later: publishing without a token, a miner's folder that is none.

    Raises:
        ConfigError: names what is missing.
    """
    if config.publish:
        Real(config, settings).hub()
    if config.deploy is not None and not Path(config.deploy).is_dir():
        raise ConfigError(f"deploy: {config.deploy} is no folder; name the --state of a miner that was started once")
    if config.deploy is not None and (Path(config.deploy) / MARK).exists():
        raise ConfigError(f"deploy: {config.deploy} is of a rehearsed miner, and these prices are real; name another")
