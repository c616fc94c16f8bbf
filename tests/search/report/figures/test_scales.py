"""Scales, signs and words of the plots."""

from __future__ import annotations

import numpy as np
import pytest

from synthcity.search.finals.verdict import LeadInterval, LeadTable
from synthcity.search.report.figures import scales
from synthcity.search.report.figures.style import BAD, GOOD, MUTED


@pytest.mark.parametrize(
    ("low", "high", "colour"),
    [(-2, -1, GOOD), (1, 2, BAD), (-1, 1, MUTED), (-1, 0, MUTED), (0, 1, MUTED), (None, None, MUTED)],
)
def test_only_an_interval_without_zero_is_good_or_bad(low: float | None, high: float | None, colour: str) -> None:
    assert scales.verdict_colour(low, high) == colour


def test_a_lead_is_said_with_its_interval_and_prompts() -> None:
    told = scales.lead_tip("BTC", -0.6, {"mean": -0.6, "low": -0.8, "high": -0.4}, 1234)
    assert told == "BTC: \N{MINUS SIGN}0.60 %, 95 % interval \N{MINUS SIGN}0.80 to \N{MINUS SIGN}0.40 %, 1,234 prompts"
    unknown = scales.lead_tip("BTC", -0.6, {"mean": -0.6, "low": None, "high": None})
    assert unknown == "BTC: \N{MINUS SIGN}0.60 %, too few days for an interval"


def panel(mean: float) -> LeadTable:
    own = LeadInterval(mean=mean, low=mean - 0.2, high=mean + 0.2)
    return LeadTable(mean=mean, low=mean - 0.2, high=mean + 0.2, by_asset={"BTC": own})


def test_a_baseline_that_is_far_worse_than_all_others_does_not_press_their_panels_to_a_line() -> None:
    low, high = scales.panel_limits([panel(mean) for mean in (-0.6, -0.8, -1.5, -40.0)])
    assert low == pytest.approx(4 * -(0.8 + 0.06 * 0.8))
    assert 0 < high < 3
    assert scales.panel_limits([panel(-0.6), panel(-1.5)])[0] < -1.7, "what is not far is shown whole"
    assert scales.panel_limits([panel(0.6), panel(40.0)])[1] == -low
    assert scales.panel_limits([]) == (-0.1, 0.1)


def test_a_lost_trial_far_above_the_others_does_not_flatten_them() -> None:
    low, high = scales.robust_range(np.array([-0.5, -0.4, -0.3, 400.0]))
    assert -1.0 < low < -0.5
    assert 0 < high < 1.0
    for values in (np.zeros(3), np.array([])):
        low, high = scales.robust_range(values)
        assert low < 0 < high


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (1e-12, "0"), (0.5, "+0.5"), (-1.25, "\N{MINUS SIGN}1.25")])
def test_differences_show_their_sign(value: float, text: str) -> None:
    assert scales.signed(value) == text


def test_a_known_network_on_another_seed_is_called_as_in_the_tables() -> None:
    assert [scales.proposer(name) for name in ("tpe", "rerun")] == ["tpe", "again"]


@pytest.mark.parametrize(("seconds", "text"), [(300, "5 min"), (3600, "1 h"), (5400, "90 min"), (86400, "24 h")])
def test_lengths_are_minutes_or_whole_hours(seconds: int, text: str) -> None:
    assert scales.span(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(123456.7, "123,457"), (0.1234567, "0.123457"), (9999.5, "9999.5")])
def test_prices_keep_six_digits(value: float, text: str) -> None:
    assert scales.price(value) == text
