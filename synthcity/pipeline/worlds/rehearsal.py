"""The rehearsal: a simulated market that goes on in time, a stand-in for the Hub, and a rehearsed miner.

Time is a stand-in's: what would be waited for has come at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.market.periods import recent_start
from synthcity.market.simulated import SimulatedMarket
from synthcity.market.store import Store
from synthcity.market.store.series import SIMULATED
from synthcity.pipeline.config import Opening, Sweep
from synthcity.pipeline.state import State
from synthcity.pipeline.worlds.rehearsed_miner import RehearsedMiner, longer
from synthcity.pipeline.worlds.world import Fresh
from synthcity.publish.standin.shelf import MARK, Shelf
from synthcity.sn50.competitions import Competition, get_competition, get_rules

WARM_UP_DAYS = 30
"""Of the simulated market that nobody learns from, so that every window has a past."""


class Rehearsal:
    """See above; everything lies in the pipeline's folder."""

    mark = MARK
    patience = 17.0 * DAY  # until the next look of a race of blocks of two days

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    def now(self, state: State) -> float:
        """How far the simulated market has come: as far as was waited for, at first to the end of the sweeps' own."""
        return max(state.clock, *(one.config.data.simulated.end for one in self._opening.sweeps.values()))

    def wait(self, until: float) -> None:
        """The stand-in's clock is set ahead instead, by the event that says until when."""

    def fresh(self, sweep: Sweep, state: State) -> Fresh:
        """Let the market go on to the present; it begins with the same bars however long it is."""
        simulated = sweep.config.data.simulated
        end = int(self.now(state)) // DAY * DAY
        start = max(recent_start(self._opening.config.periods, end), simulated.epoch + WARM_UP_DAYS * DAY)
        days = (end - simulated.epoch) // DAY + 1
        changes = {"simulated": {**_section(sweep), "days": days}}
        return Fresh(start=start, end=end, assets=_assets(sweep), changes=changes)

    def first(self, sweep: Sweep) -> Mapping[str, int]:
        """All assets of the market begin with it."""
        return dict.fromkeys(_assets(sweep), sweep.config.data.simulated.epoch)

    def store(self, sweep: Sweep, state: State) -> str:
        """Write the market down as far as it has come."""
        folder, end = self._opening.folder / "prices", int(self.now(state)) // DAY * DAY
        increment = _competition(sweep).time_increment
        market = SimulatedMarket(longer(sweep, end)).market(_assets(sweep), end=end, resolution=increment)
        for asset in _assets(sweep):
            Store(folder).append(asset, SIMULATED, increment, market[asset, increment])
        return str(folder)

    def looked_until(self, sweep: Sweep) -> int | None:
        """Nobody else has this market."""
        return None

    def hub(self) -> Shelf:
        """The stand-in."""
        return Shelf(folder=self._opening.folder / "hub")

    def settle(self, state: State) -> None:
        """Let the rehearsed miner take what it is offered, answer until now, and promote what has won."""
        folder = self._opening.config.deploy
        if folder is not None:
            for sweep in self._opening.sweeps.values():
                RehearsedMiner(Path(folder), sweep).look(self.now(state))


def check_rehearsal(opening: Opening) -> None:
    """Refuse to rehearse in the folder of a miner that validators may know.

    Raises:
        ConfigError: ``deploy`` is such a folder.
    """
    state = None if opening.config.deploy is None else Path(opening.config.deploy)
    if state is not None and state.is_dir() and any(state.iterdir()) and not (state / MARK).exists():
        raise ConfigError(
            f"deploy: {state} belongs to no rehearsed miner, and these prices are SIMULATED; name another"
        )


def _competition(sweep: Sweep) -> Competition:
    return get_competition(sweep.config.competition, get_rules(sweep.config.rules))


def _assets(sweep: Sweep) -> tuple[str, ...]:
    return sweep.config.data.assets or tuple(_competition(sweep).assets)


def _section(sweep: Sweep) -> dict[str, object]:
    simulated: dict[str, object] = asdict(sweep.config.data.simulated)
    return simulated
