"""Find, prove and serve forecasting models for miners of Bittensor Subnet 50 (Synth)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthcity.forecast.backtest import backtest as backtest
    from synthcity.forecast.bundle import load as load
    from synthcity.search.run import search as search
    from synthcity.sn50.prompt import Prompt as Prompt
    from synthcity.sn50.scoring import score as score

__version__ = "0.1.0"

_LAZY = {
    "Prompt": "synthcity.sn50.prompt",
    "backtest": "synthcity.forecast.backtest",
    "load": "synthcity.forecast.bundle",
    "score": "synthcity.sn50.scoring",
    "search": "synthcity.search.run",
}

__all__ = ["Prompt", "backtest", "load", "score", "search"]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'synthcity' has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
