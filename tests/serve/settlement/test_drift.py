from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthcity.forecast.evaluation.diagnostics import pit_counts
from synthcity.serve.settlement.drift import CalibrationBand, calibrations

NOW = 1_795_348_800
DAY = 86400


def settled(*, width: float = 1.0, shift: float = 0.0, num: int = 60, asset: str = "BTC") -> pd.DataFrame:
    """One-hour answers whose simulated moves are ``width`` times as wide as the realised ones, and off by ``shift``."""
    rng, rows = np.random.default_rng(4), []
    for k in range(num):
        moves = rng.normal(scale=0.001, size=(201, 60))
        prices = np.exp(np.cumsum(np.pad(moves * width + shift * 0.001, ((0, 0), (1, 0))), axis=1))
        truth = np.exp(np.cumsum(np.pad(moves[-1], (1, 0))))
        rows.append(
            {
                "asset": asset,
                "competition": "crypto-1h",
                "start_time": NOW - 7200 - 1800 * k,
                "time_length": 3600,
                "sent": True,
                "total": 500.0,
                "pit": {str(60 * steps): pit_counts(prices[:-1], truth, steps).tolist() for steps in (1, 5)},
            }
        )
    return pd.DataFrame(rows)


def test_a_calibrated_forecaster_raises_no_alarm():
    for found in calibrations(settled(), NOW):
        assert found.half == pytest.approx(0.5, abs=0.03)
        assert found.nine_tenths == pytest.approx(0.9, abs=0.03)
        assert found.middle == pytest.approx(0.5, abs=0.03)
        assert found.alarms == ()
        assert found.num_prompts == 60


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 0.6}, "too narrow"),
        ({"width": 1.6}, "too wide"),
        ({"shift": 0.4}, "too high"),
        ({"shift": -0.4}, "too low"),
    ],
)
def test_a_forecaster_that_no_longer_fits_is_told_in_words(changes, words):
    minute, five = calibrations(settled(**changes), NOW)
    assert (minute.asset, minute.competition, minute.horizon, five.horizon) == ("BTC", "crypto-1h", 60, 300)
    assert any(words in alarm for alarm in minute.alarms)
    assert all(alarm.startswith("BTC crypto-1h, changes over 60 s: ") for alarm in minute.alarms)
    opposite = {"too narrow": "too wide", "too wide": "too narrow", "too high": "too low", "too low": "too high"}
    assert not any(opposite[words] in alarm for alarm in minute.alarms)


def test_assets_are_looked_at_one_by_one():
    table = pd.concat([settled(), settled(width=0.5, asset="ETH")])
    assert {found.asset for found in calibrations(table, NOW) if found.alarms} == {"ETH"}


def test_too_few_old_unsent_and_invalid_answers_raise_no_alarm():
    wild = settled(width=0.5, num=23)
    assert not any(found.alarms for found in calibrations(wild, NOW))
    assert any(found.alarms for found in calibrations(wild, NOW, CalibrationBand(min_prompts=23)))
    assert calibrations(settled(width=0.5), NOW + 5 * DAY) == []
    assert calibrations(settled(width=0.5).assign(sent=False), NOW) == []
    assert calibrations(settled(width=0.5).assign(total=-1.0), NOW) == []


def test_the_band_is_stated_and_can_be_moved():
    (minute, _), tight = calibrations(settled(), NOW), CalibrationBand(half=(0.499, 0.5))
    moved, _ = calibrations(settled(), NOW, tight)
    assert "50 to 50 % is in order" in moved.alarms[0]
    assert replace(moved, alarms=()) == minute
