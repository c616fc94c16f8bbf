"""The one true history of a simulated market."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.market.bars import Bars, Floats, Market
from synthcity.market.columns import bars_from_columns, take
from synthcity.market.simulated.assets import SimulatedAsset, simulated_asset
from synthcity.market.simulated.config import SimulatedConfig
from synthcity.market.simulated.law import (
    CELL,
    MINUTES_A_CELL,
    Cells,
    Streams,
    cell_sigma,
    draw_cells,
    draw_returns,
)
from synthcity.market.simulated.perpetuals import shown, surprises
from synthcity.market.simulated.releases import release_multipliers
from synthcity.market.simulated.season import burst_multipliers
from synthcity.market.times import format_time

RESOLUTIONS = (60, 300)


@dataclass(frozen=True, kw_only=True)
class MarketState:
    """All that can be known of an asset's future at one time: price, log-volatilities and the cell's w."""

    price: float
    fast: float
    slow: float
    mixing: float


@dataclass(frozen=True, kw_only=True)
class _Truth:
    cells: Cells  # (num_cells,)
    sigma: Floats  # (num_cells * 5,), of five minutes like each minute
    returns: Floats  # (num_cells * 5,), one a minute
    log_price: Floats  # the same, at the end of each minute


class SimulatedMarket:
    """Bars of any of the thirteen assets at 60 s or 300 s, drawn minute by minute from the epoch onwards.

    Example:
        >>> import synthcity
        >>> len(synthcity.SimulatedMarket().bars("BTC", resolution=300))
        105120
    """

    def __init__(self, config: SimulatedConfig | None = None) -> None:
        self.config = SimulatedConfig() if config is None else config
        self._truths: dict[str, _Truth] = {}

    def market(
        self, assets: Sequence[str], start: int | None = None, end: int | None = None, resolution: int = 300
    ) -> Market:
        """Return the bars of ``assets`` that open in ``[start, end)``; None means the epoch or the end.

        Raises:
            ConfigError: an asset is unknown, or the span or the resolution is not simulated.
        """
        return Market({(asset, resolution): self.bars(asset, resolution, start, end) for asset in assets})

    def bars(self, asset: str, resolution: int = 300, start: int | None = None, end: int | None = None) -> Bars:
        """Return the bars of one asset; closed sessions have none, unless it is a perpetual. Raises as ``market``."""
        first, last = self._span(start, end)
        if resolution not in RESOLUTIONS:
            raise ConfigError(f"the simulated market has bars of 60 and 300 seconds, not {resolution}")
        law = simulated_asset(asset)
        minutes = _minute_bars(law, self._truth(law), self.config)
        bars = minutes if resolution == 60 else _aggregate(minutes, resolution)
        asked = (bars.time >= first) & (bars.time < last)
        return take(bars, asked & shown(self.config, law, bars))

    def state(self, asset: str, time: int) -> MarketState:
        """The true state at ``time`` (a whole minute, unix seconds), after all that was observed by then.

        Raises:
            ConfigError: ``time`` lies outside the simulated days.
        """
        first, _ = self._span(time, None)
        law = simulated_asset(asset)
        truth = self._truth(law)
        minute = (time - self.config.epoch) // 60 - 1
        if minute < 0 or first % 60:
            raise ConfigError(f"no state of the simulated market is known at {format_time(time)}")
        cell = minute // MINUTES_A_CELL
        return MarketState(
            price=float(np.exp(truth.log_price[minute])),
            fast=float(truth.cells.fast[cell]),
            slow=float(truth.cells.slow[cell]),
            mixing=float(truth.cells.mixing[cell]),
        )

    def _span(self, start: int | None, end: int | None) -> tuple[int, int]:
        config = self.config
        first = config.epoch if start is None else start
        last = config.end if end is None else end
        if not config.epoch <= first <= last <= config.end:
            raise ConfigError(
                f"{format_time(first)} to {format_time(last)} lies outside the simulated days "
                f"{format_time(config.epoch)} to {format_time(config.end)}; change start or days"
            )
        return first, last

    def _truth(self, asset: SimulatedAsset) -> _Truth:
        if asset.name not in self._truths:
            config, streams = self.config, Streams(self.config.seed)
            num_cells = config.days * DAY // CELL
            cells = draw_cells(config, asset, streams, (num_cells,))
            times = config.epoch + CELL * np.arange(num_cells, dtype=np.int64)
            sigma, mixing = (
                np.repeat(v, MINUTES_A_CELL) for v in (cell_sigma(config, asset, cells, times), cells.mixing)
            )
            minutes = config.epoch + 60 * np.arange(len(sigma), dtype=np.int64)
            sigma *= burst_multipliers(minutes, config.bursts) * release_multipliers(config, minutes)
            returns = draw_returns(config, asset, streams, sigma, mixing, minutes=1)
            ends = config.epoch + 60 * np.arange(1, len(returns) + 1, dtype=np.int64)
            returns += surprises(config, streams.rng, asset, ends, 60, returns.shape)
            self._truths[asset.name] = _Truth(
                cells=cells, sigma=sigma, returns=returns, log_price=np.log(asset.price) + np.cumsum(returns)
            )
        return self._truths[asset.name]


def _minute_bars(asset: SimulatedAsset, truth: _Truth, config: SimulatedConfig) -> Bars:
    """All minutes, open or closed, with the extremes of a Brownian bridge from open to close.

    Given its end r and its variance v, the highest point of a bridge is distributed as
    ``(r + sqrt(r^2 + 2 v E)) / 2`` with E standard exponential; the lowest alike, drawn on its own.
    """
    streams, returns, num_minutes = Streams(config.seed), truth.returns, len(truth.returns)
    sigma = truth.sigma
    variance = sigma**2 * np.repeat(truth.cells.mixing, MINUTES_A_CELL) / MINUTES_A_CELL
    reach = {
        name: np.sqrt(returns**2 + 2 * variance * streams.rng(f"{name}/{asset.name}").standard_exponential(num_minutes))
        for name in ("high", "low")
    }
    close = np.exp(truth.log_price)
    opening = np.concatenate([[asset.price], close[:-1]])
    busy = sigma / (asset.hourly_sigma / np.sqrt(12)) * (0.5 + np.sqrt(returns**2 / variance) / 2)
    noise = streams.rng(f"volume/{asset.name}").standard_exponential(num_minutes)
    columns = {
        "open": opening,
        "high": np.maximum(opening * np.exp((returns + reach["high"]) / 2), np.maximum(opening, close)),
        "low": np.minimum(opening * np.exp((returns - reach["low"]) / 2), np.minimum(opening, close)),
        "close": close,
        "volume": asset.hourly_volume / 60 * busy * noise,
    }
    return bars_from_columns(config.epoch + 60 * np.arange(num_minutes, dtype=np.int64), columns, 60)


def _aggregate(minutes: Bars, resolution: int) -> Bars:
    def by_bar(values: Floats) -> Floats:
        return values.reshape(-1, resolution // minutes.resolution)

    columns = {
        "open": by_bar(minutes.open)[:, 0],
        "high": by_bar(minutes.high).max(axis=1),
        "low": by_bar(minutes.low).min(axis=1),
        "close": by_bar(minutes.close)[:, -1],
        "volume": by_bar(minutes.volume).sum(axis=1),
    }
    return bars_from_columns(minutes.time[:: resolution // minutes.resolution], columns, resolution)
