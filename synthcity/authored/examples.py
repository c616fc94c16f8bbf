"""Features and forecasters as a language model may write them: shown to it in full, and admitted by the tests."""

MINUTES = '''"""Bursts on the minutes of the hour: more moves at :00, :15, :30 and :45, where programs start."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthcity.authored.history import History

NAME = "minute_bursts"
LOOKBACK_DAYS = 28
FUTURE = ("log_burst",)
PRIOR = 24.0  # returns of an average minute, so that few days tell little


def future(history: History, times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log of the mean absolute return of a step's slot of the hour over that of all slots, by asset."""
    bars, step = history.bars[history.resolution], history.resolution
    size = np.abs(np.diff(np.log(bars.close), axis=0))
    slots = max(1, 3600 // step)
    slot = (bars.time[1:] // step) % slots
    found = np.zeros((len(history.assets), slots))
    for asset in range(len(history.assets)):
        seen = np.isfinite(size[:, asset])
        if not seen.any():
            continue
        capped = np.minimum(size[seen, asset], np.quantile(size[seen, asset], 0.995))
        total = np.bincount(slot[seen], weights=capped, minlength=slots)
        count = np.bincount(slot[seen], minlength=slots)
        average = max(float(capped.mean()), 1e-12)
        found[asset] = np.log((total + PRIOR * average) / ((count + PRIOR) * average))
    return found[:, (times // step) % slots][:, :, None]
'''

LEADERS = '''"""Volatility of the other assets: what moved one in the last hour has often not yet reached the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthcity.authored.history import History

NAME = "others_move"
LOOKBACK_DAYS = 3
PAST = ("log_others", "log_fastest")


def past(history: History) -> NDArray[np.float64]:
    """Logs of the mean and the largest of the other assets' last hour, each over its own three days."""
    close = history.bars[history.resolution].close
    returns = np.nan_to_num(np.diff(np.log(close), axis=0))
    hour = max(1, 3600 // history.resolution)
    recent = np.mean(returns[-hour:] ** 2, axis=0) if len(returns) else np.zeros(close.shape[1])
    usual = np.mean(returns**2, axis=0) if len(returns) else np.zeros(close.shape[1])
    ratio = np.sqrt((recent + 1e-12) / (usual + 1e-12))
    found = np.zeros((len(ratio), 2))
    for asset in range(len(ratio)):
        others = np.array([ratio[k] for k in range(len(ratio)) if k != asset])
        if len(others):
            found[asset] = np.log(others.mean()), np.log(others.max())
    return np.clip(found, -4.0, 4.0)
'''

FHS = '''"""Filtered historical simulation: recent volatility times standardised returns of the past, drawn anew."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthcity.authored.history import History, Noise

NAME = "written_fhs"
LOOKBACK_DAYS = 30
HALF_LIVES = (6.0, 120.0)  # hours
LEAST = 50  # returns


def decayed(squares: NDArray[np.float64], half_life: float) -> float:
    """Mean of the squares, the newest weighing most; ``half_life`` in steps."""
    weight = 0.5 ** (np.arange(len(squares))[::-1] / half_life)
    return float(weight @ squares / weight.sum())


def forecast(history: History, asset: int, ends: NDArray[np.int64], noise: Noise) -> NDArray[np.float64]:
    """Log returns of the steps that end at ``ends``."""
    bars = history.bars[history.resolution]
    returns = np.diff(np.log(bars.close[:, asset]))
    returns = returns[np.isfinite(returns)]
    if len(returns) < LEAST:
        raise ValueError(f"it needs {LEAST} returns and was given {len(returns)}")
    hour = 3600 / history.resolution
    fast, slow = [decayed(returns**2, hours * hour) for hours in HALF_LIVES]
    ahead = np.arange(len(ends)) / hour
    volatility = np.sqrt(slow + (fast - slow) * 0.5 ** (1 + ahead / 12.0))
    both = np.concatenate([returns, -returns]) / max(float(returns.std()), 1e-12)
    drawn = both[(noise.uniform * len(both)).astype(np.int64)]
    return drawn * volatility
'''

SHARED = '''"""The volatility that ``har`` expects, and how wild a day is shared by all steps of a path.

Steps that know of each other make the end of a day fatter in the tails than independent ones can.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthcity.authored.history import History, Noise

NAME = "shared_wildness"
LOOKBACK_DAYS = 20
SPREAD = 0.1  # of the log of a path's volatility
LEAST = 50  # returns


def forecast(history: History, asset: int, ends: NDArray[np.int64], noise: Noise) -> NDArray[np.float64]:
    """Log returns of the steps that end at ``ends``."""
    returns = np.diff(np.log(history.bars[history.resolution].close[:, asset]))
    returns = returns[np.isfinite(returns)]
    if len(returns) < LEAST:
        raise ValueError(f"it needs {LEAST} returns and was given {len(returns)}")
    usual = max(float(returns.std()), 1e-12)
    expected = np.where(np.isfinite(history.expected), history.expected, usual)
    near = np.convolve(returns**2, np.ones(12) / 12)[: len(returns) - 1]  # of the hour before each return
    shape = returns[1:] / np.sqrt(0.5 * near + 0.5 * usual**2)
    both = np.concatenate([shape, -shape]) / np.sqrt(np.mean(shape**2) + 1e-24)
    drawn = both[(noise.uniform * len(both)).astype(np.int64)]
    wild = np.exp(SPREAD * noise.normal[:, :1] - SPREAD**2)
    return drawn * expected * wild
'''

FEATURES = {"minute_bursts": MINUTES, "others_move": LEADERS}
FORECASTERS = {"written_fhs": FHS, "shared_wildness": SHARED}
