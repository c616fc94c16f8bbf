"""A threshold of a series is found at its lag, and what follows a schedule is above its level."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from synthcity.durations import HOUR
from synthcity.research.model.desk import Desk
from synthcity.research.model.series import look_at_schedule, look_at_values


def test_the_lag_and_the_tenths_of_a_threshold_stand_out(desk: Desk) -> None:
    times, sizes = desk.residuals.hourly()
    value = np.where(sizes.mean(axis=1) > 1.2, 1.0, 0.0) + np.random.default_rng(0).uniform(0, 0.5, len(times))
    published = (times - 6 * HOUR, value)  # five hours before the hour begins
    desk.known = replace(desk.known, series={"pressure": published})
    header, *rows = look_at_values(desk, "pressure", range(0, 13)).splitlines()[1:]
    _, level = (float(found) for found in re.findall(r"chance 95 %: ([\d.]+)", header))
    largest = {row.split("\t")[0]: abs(float(row.split("\t")[2])) for row in rows[:13]}
    assert max(largest, key=lambda lag: largest[lag]) == "5"
    assert largest["5"] > 1.5 * level
    assert rows[14].startswith("5 hours before: ")
    low, high = (float(part.split()[0]) for part in (rows[14].split(": ")[1].split("; ")[0], rows[14].split("; ")[-1]))
    assert high > low + 0.3


def test_what_follows_a_schedule_is_told_by_hours_since(desk: Desk) -> None:
    residuals = desk.residuals
    loud = residuals.times[np.nan_to_num(residuals.together()) > 4]
    due = loud[np.diff(loud, prepend=0) > 40 * HOUR] - residuals.step
    desk.known = replace(desk.known, series={"notices": (due - 24 * HOUR, due.astype(np.float64))})
    head, header, first, *_ = look_at_schedule(desk, "notices").splitlines()
    assert "published 24 hours ahead" in head
    (level,) = (float(found) for found in re.findall(r"chance 95 %: ([\d.]+)", header))
    since, mean, z, count = first.split("\t")
    assert (since, float(mean) > 1.5, float(z) > level, int(count) > 10) == ("0 to 0.25", True, True, True)
