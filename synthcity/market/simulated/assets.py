"""The simulated assets: the network's thirteen, at plausible prices and volatilities."""

from __future__ import annotations

from dataclasses import dataclass

from synthcity.errors import ConfigError, unknown_name
from synthcity.market.calendar.sessions import Session


@dataclass(frozen=True, kw_only=True)
class AssetGroup:
    """Assets that move together.

    A standard normal shock of an asset is ``world * W + group * G + own * O`` with independent standard
    normals and squared loadings that add up to 1; volatility shocks have loadings of their own.

    Attributes:
        session: when its assets trade.
        return_loadings: (world, group) loadings of price shocks.
        volatility_loadings: (world, group) loadings of log-volatility shocks.
    """

    name: str
    session: Session
    return_loadings: tuple[float, float]
    volatility_loadings: tuple[float, float]


CRYPTO = AssetGroup(name="crypto", session=Session.ALWAYS, return_loadings=(0.35, 0.75), volatility_loadings=(0.4, 0.7))
EQUITY = AssetGroup(
    name="equity", session=Session.US_EQUITY, return_loadings=(0.35, 0.6), volatility_loadings=(0.4, 0.7)
)
COMMODITY = AssetGroup(
    name="commodity", session=Session.FUTURES, return_loadings=(0.1, 0.2), volatility_loadings=(0.4, 0.3)
)


@dataclass(frozen=True, kw_only=True)
class SimulatedAsset:
    """One asset.

    Attributes:
        price: at the epoch.
        hourly_sigma: standard deviation of an hour's log return in the long run, over open hours.
        hourly_volume: mean traded volume, in units of the asset.
    """

    name: str
    group: AssetGroup
    price: float
    hourly_sigma: float
    hourly_volume: float


def _table(*rows: tuple[str, AssetGroup, float, float, float]) -> dict[str, SimulatedAsset]:
    return {
        name: SimulatedAsset(name=name, group=group, price=price, hourly_sigma=sigma, hourly_volume=volume)
        for name, group, price, sigma, volume in rows
    }


ASSETS = _table(
    ("BTC", CRYPTO, 95_000.0, 0.0052, 800.0),
    ("ETH", CRYPTO, 3_300.0, 0.0077, 18_000.0),
    ("SOL", CRYPTO, 190.0, 0.0088, 160_000.0),
    ("XRP", CRYPTO, 2.3, 0.0095, 9_000_000.0),
    ("HYPE", CRYPTO, 25.0, 0.0113, 400_000.0),
    ("XAU", COMMODITY, 2_650.0, 0.0028, 20_000.0),
    ("WTIOIL", COMMODITY, 72.0, 0.0060, 30_000.0),
    ("SP500", EQUITY, 5_900.0, 0.0026, 9_000.0),
    ("NVDAX", EQUITY, 137.0, 0.0070, 25_000_000.0),
    ("TSLAX", EQUITY, 390.0, 0.0090, 14_000_000.0),
    ("AAPLX", EQUITY, 245.0, 0.0045, 7_000_000.0),
    ("GOOGLX", EQUITY, 190.0, 0.0055, 4_000_000.0),
    ("SPCX", EQUITY, 200.0, 0.0095, 1_000_000.0),
)


def simulated_asset(name: str) -> SimulatedAsset:
    """Look up an asset.

    Raises:
        ConfigError: it is none of ``ASSETS``.
    """
    if name not in ASSETS:
        raise ConfigError(f"{unknown_name('asset', name, ASSETS)} (of the simulated market)")
    return ASSETS[name]
