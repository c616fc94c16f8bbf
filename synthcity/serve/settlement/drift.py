"""Whether the forecasts still fit the market: calibration of recently settled answers against a stated band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcity.durations import DAY
from synthcity.market.bars import Floats


@dataclass(frozen=True, kw_only=True)
class CalibrationBand:
    """What a calibrated forecaster stays within, and how much is looked at.

    Of realised changes, half lie within the central half of the forecasts, nine in ten within the central nine tenths,
    and they lie in the middle on average. The bands allow for windows that overlap and assets that move together.

    Attributes:
        days: how far back.
        min_prompts: fewer settled prompts raise no alarm.
        half: lowest and highest share within the central half.
        nine_tenths: the same within the central nine tenths.
        middle: lowest and highest mean of the probability integral transform.
    """

    days: float = 3.0
    min_prompts: int = 24
    half: tuple[float, float] = (0.42, 0.58)
    nine_tenths: tuple[float, float] = (0.85, 0.95)
    middle: tuple[float, float] = (0.45, 0.55)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Calibration of changes over ``horizon`` seconds; ``alarms`` says in words what lies outside the band."""

    competition: str
    asset: str
    horizon: int
    half: float
    nine_tenths: float
    middle: float
    num_prompts: int
    alarms: tuple[str, ...]


def calibrations(scores: pd.DataFrame, now: float, band: CalibrationBand | None = None) -> list[Calibration]:
    """Return the calibration of each competition, asset and horizon over the last days, of the answers that were sent.

    Args:
        scores: as from ``settle.read_scores``.
        now: unix seconds.
    """
    band = CalibrationBand() if band is None else band
    end = scores["start_time"] + scores["time_length"]
    recent = scores[(end > now - band.days * DAY) & (end <= now) & scores["sent"].astype(bool) & (scores["total"] >= 0)]
    found = []
    for (competition, asset), group in recent.groupby(["competition", "asset"]):
        for horizon in group["pit"].iloc[0]:
            counts = np.sum([pit[horizon] for pit in group["pit"]], axis=0)
            found.append(_calibration(str(competition), str(asset), int(horizon), counts, len(group), band))
    return found


def _calibration(
    competition: str,
    asset: str,
    horizon: int,
    counts: Floats,
    num_prompts: int,
    band: CalibrationBand,
) -> Calibration:
    """Args: ``counts`` (bins,) is the mass of the transform in equal bins of [0, 1], a multiple of 20 of them."""
    share, twentieth = counts / counts.sum(), len(counts) // 20
    half = float(share[5 * twentieth : 15 * twentieth].sum())
    nine_tenths = float(share[twentieth:-twentieth].sum())
    middle = float(share @ ((np.arange(len(share)) + 0.5) / len(share)))
    alarms = []
    if num_prompts >= band.min_prompts:
        where = f"{asset} {competition}, changes over {horizon} s"
        for value, (low, high), inside in (
            (half, band.half, "the central half of the forecasts"),
            (nine_tenths, band.nine_tenths, "the central nine tenths of the forecasts"),
        ):
            if not low <= value <= high:
                verdict = "too narrow" if value < low else "too wide"
                alarms.append(
                    f"{where}: {100 * value:.0f} % fell into {inside} ({100 * low:.0f} to {100 * high:.0f} % is "
                    f"in order); the forecasts are {verdict}"
                )
        if not band.middle[0] <= middle <= band.middle[1]:
            side = "low" if middle > band.middle[1] else "high"
            alarms.append(f"{where}: the forecasts are too {side} (mean rank {middle:.2f} of 0 to 1)")
    return Calibration(
        competition=competition,
        asset=asset,
        horizon=horizon,
        half=half,
        nine_tenths=nine_tenths,
        middle=middle,
        num_prompts=num_prompts,
        alarms=tuple(alarms),
    )
