"""A seeded market whose true law is known: prices without a network, and an oracle to measure models by."""

from synthcity.market.simulated.config import SimulatedConfig
from synthcity.market.simulated.market import SimulatedMarket
from synthcity.market.simulated.oracle import SimulatedOracle

__all__ = ["SimulatedConfig", "SimulatedMarket", "SimulatedOracle"]
