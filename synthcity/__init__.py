"""Find, prove and serve forecasting models for miners of Bittensor Subnet 50 (Synth).

Public names are imported on first use, so that ``import synthcity`` stays fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthcity.forecast.bundles.choose import choose as load
    from synthcity.forecast.evaluation.backtest import Backtest as Backtest
    from synthcity.forecast.evaluation.backtest import backtest as backtest
    from synthcity.forecast.evaluation.backtest import backtest_prompts as prompts
    from synthcity.forecast.external import save as save
    from synthcity.forecast.forecaster import Forecaster as Forecaster
    from synthcity.forecast.simulate import simulate as simulate
    from synthcity.market.bars import History as History
    from synthcity.market.bars import Market as Market
    from synthcity.market.simulated import SimulatedMarket as SimulatedMarket
    from synthcity.market.store.parquet import Store as Store
    from synthcity.nets.overview import components as components
    from synthcity.search.run import search as run
    from synthcity.sn50.prompt import Prompt as Prompt
    from synthcity.sn50.scoring import Score as Score
    from synthcity.sn50.scoring import score as score

__version__ = "0.1.0"

# public name -> where it is defined
_LAZY = {
    "Backtest": "synthcity.forecast.evaluation.backtest:Backtest",
    "Forecaster": "synthcity.forecast.forecaster:Forecaster",
    "History": "synthcity.market.bars:History",
    "Market": "synthcity.market.bars:Market",
    "Prompt": "synthcity.sn50.prompt:Prompt",
    "Score": "synthcity.sn50.scoring:Score",
    "SimulatedMarket": "synthcity.market.simulated:SimulatedMarket",
    "Store": "synthcity.market.store.parquet:Store",
    "backtest": "synthcity.forecast.evaluation.backtest:backtest",
    "components": "synthcity.nets.overview:components",
    "load": "synthcity.forecast.bundles.choose:choose",
    "prompts": "synthcity.forecast.evaluation.backtest:backtest_prompts",
    "run": "synthcity.search.run:search",
    "save": "synthcity.forecast.external:save",
    "score": "synthcity.sn50.scoring:score",
    "simulate": "synthcity.forecast.simulate:simulate",
}
_ROOMS = ("agents", "forecast", "market", "nets", "search", "serve", "sn50", "testing", "vault")

__all__ = [
    "Backtest",
    "Forecaster",
    "History",
    "Market",
    "Prompt",
    "Score",
    "SimulatedMarket",
    "Store",
    "backtest",
    "components",
    "load",
    "prompts",
    "run",
    "save",
    "score",
    "simulate",
]


def __getattr__(name: str) -> object:
    if name in _LAZY:
        module, _, attribute = _LAZY[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'synthcity' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, *_ROOMS])
