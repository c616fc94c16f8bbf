"""The law of the simulated market, used alike for the one true history and for the oracle's future paths.

Time runs in cells of 5 minutes. In cell c an asset's 5-minute volatility is::

    sigma_c = hourly_sigma / sqrt(12) * exp(profile_c + fast_c + slow_c - fast_spread^2 - slow_spread^2)

with two AR(1) processes (so that the mean square of sigma is the asset's own). The log return over m of the
cell's 5 minutes is ``b sigma_c * (sqrt(w_c m / 5) z + jump_size * (sqrt(k) z' + sqrt(k') z''))``: z standard
normal, w_c inverse-gamma with mean 1 (so a 5-minute return without jumps is a scaled Student-t), k, k' the
numbers of own and of group jumps, b the root mean square of the minutes' bursts, 1 unless they are asked for.
World and group factors are shared among assets.

Every random number comes from a stream named after its purpose, hence no asset's draws depend on which others
are asked for, and assets drawn from the same ``Streams`` are drawn jointly.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from synthcity.durations import DAY
from synthcity.market.bars import Floats, Times
from synthcity.market.simulated.assets import SimulatedAsset
from synthcity.market.simulated.config import SimulatedConfig
from synthcity.market.simulated.season import log_profile

CELL = 300
MINUTES_A_CELL = CELL // 60
_SCAN_BLOCK = 288
Shape = tuple[int, ...]


class Streams:
    """Independent generators by name, all decided by ``entropy``."""

    def __init__(self, *entropy: int) -> None:
        self._entropy = entropy

    def rng(self, name: str) -> np.random.Generator:
        """A generator at the beginning of the stream ``name``; always the same one."""
        return np.random.default_rng([*self._entropy, zlib.crc32(name.encode())])

    def normals(self, kind: str, asset: SimulatedAsset, loadings: tuple[float, float], shape: Shape) -> Floats:
        """Standard normals (shape) that share a world and a group factor with other assets."""
        world, group = loadings
        own = np.sqrt(1 - world**2 - group**2)
        total = world * self.rng(f"{kind}/world").standard_normal(shape)
        total += group * self.rng(f"{kind}/{asset.group.name}").standard_normal(shape)
        total += own * self.rng(f"{kind}/{asset.name}").standard_normal(shape)
        return total


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Latent numbers of consecutive cells, each (..., num_cells)."""

    fast: Floats
    slow: Floats
    mixing: Floats


def draw_cells(
    config: SimulatedConfig,
    asset: SimulatedAsset,
    streams: Streams,
    shape: Shape,
    *,
    fast: float = 0.0,
    slow: float = 0.0,
) -> Cells:
    """Draw cells (shape, time last) that follow one with log-volatilities ``fast`` and ``slow``."""
    parts = {}
    for name, value, spread, half_life in (
        ("fast", fast, config.fast_spread, config.fast_half_life_hours * 3600),
        ("slow", slow, config.slow_spread, config.slow_half_life_days * DAY),
    ):
        decay = 0.5 ** (CELL / half_life)
        shocks = streams.normals(name, asset, asset.group.volatility_loadings, shape)
        parts[name] = autoregression(value, spread * np.sqrt(1 - decay**2) * shocks, decay)
    nu = config.degrees_of_freedom
    gamma = streams.rng(f"mixing/{asset.name}").standard_gamma(nu / 2, shape)
    return Cells(fast=parts["fast"], slow=parts["slow"], mixing=(nu - 2) / (2 * gamma))


def cell_sigma(config: SimulatedConfig, asset: SimulatedAsset, cells: Cells, times: Times) -> Floats:
    """Volatility over 5 minutes of each cell (..., num_cells); cells open at ``times`` (num_cells,)."""
    level = np.log(asset.hourly_sigma / np.sqrt(12)) - config.fast_spread**2 - config.slow_spread**2
    profile = log_profile(asset.group, times, config.seasonality)
    return np.asarray(np.exp(level + profile + cells.fast + cells.slow))


def draw_returns(
    config: SimulatedConfig,
    asset: SimulatedAsset,
    streams: Streams,
    sigma: Floats,
    mixing: Floats,
    minutes: int,
) -> Floats:
    """Draw log returns (..., num_steps) of steps of ``minutes`` (1 to 5), each inside one cell.

    Args:
        sigma: 5-minute volatility at each step, (..., num_steps).
        mixing: the cell's w at each step, (..., num_steps).
    """
    shape = sigma.shape
    shocks = streams.normals("return", asset, asset.group.return_loadings, shape)
    total = np.sqrt(mixing * (minutes / MINUTES_A_CELL)) * shocks
    for name, rate in (
        (asset.name, config.jumps_per_day),
        (asset.group.name, config.market_jumps_per_day),
    ):
        count = streams.rng(f"jump count/{name}").binomial(minutes, rate / 1440, shape)
        size = streams.rng(f"jump size/{name}").standard_normal(shape)
        total += config.jump_size * np.sqrt(count) * size
    return sigma * total


def autoregression(start: float, shocks: Floats, decay: float) -> Floats:
    """Return y (..., n) with ``y_t = decay * y_{t-1} + shocks_t`` and ``y_{-1} = start``.

    Done in blocks by a scaled cumulative sum: ``decay ** -block`` stays far from overflow, and a longer
    series begins with exactly the numbers of a shorter one.
    """
    result = np.empty_like(shocks)
    last = np.full(shocks.shape[:-1], start)
    for first in range(0, shocks.shape[-1], _SCAN_BLOCK):
        block = shocks[..., first : first + _SCAN_BLOCK]
        powers = decay ** np.arange(1, block.shape[-1] + 1)
        result[..., first : first + _SCAN_BLOCK] = powers * (last[..., None] + np.cumsum(block / powers, axis=-1))
        last = result[..., first + block.shape[-1] - 1]
    return result
