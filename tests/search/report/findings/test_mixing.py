"""What mixing was worth, in a sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcity.search.report.findings.mixing import mix_sentence

DAY = 86400


def scores(gain: float, noise: float, days: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        (name, "BTC", at * DAY, 100.0 * factor)
        for at in range(days)
        for name, factor in (("c0003", 1.0), ("mix", 1.0 + (gain + noise * rng.normal()) / 100))
    ]
    return pd.DataFrame(rows, columns=["forecaster", "asset", "start_time", "total"])


@pytest.mark.parametrize(
    ("gain", "noise", "end"),
    [
        (-0.5, 0.01, "% better)."),
        (-0.01, 1.0, "chance alone can do that, so the network alone may be as good."),
        (0.5, 0.01, "the network alone would have been the better choice."),
    ],
)
def test_a_gain_is_told_with_what_it_is_worth(gain: float, noise: float, end: str) -> None:
    told = mix_sentence(scores(gain, noise), "mix", "c0003", {"BTC": 1.0}, 2)
    assert told.startswith("On the test period mix scores ")
    assert " than c0003, the best single network (95 % interval " in told
    assert told.endswith(end)


def test_too_few_days_are_no_proof() -> None:
    told = mix_sentence(scores(-0.5, 0.01, days=1), "mix", "c0003", {"BTC": 1.0}, 2)
    assert "95 % interval unknown, too few days" in told
    assert "chance alone" in told


@pytest.mark.parametrize(("challenger", "single"), [("c0003", "c0003"), (None, None), ("mix", None), ("mix", "c0009")])
def test_nothing_is_said_where_no_mix_was_frozen_or_nothing_stands_beside_it(
    challenger: str | None, single: str | None
) -> None:
    assert mix_sentence(scores(-0.5, 0.1), challenger, single, {"BTC": 1.0}, 2) == ""
