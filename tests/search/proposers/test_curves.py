"""What a language model is told of trainings."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.curves import curve, shape, slices
from tests.search.builders import candidate, history, tell


def trained(scores: list[float], losses: list[float] | None = None, status: str = "completed") -> TrialHistory:
    events = tell(candidate(0), *scores, status=status)
    rungs = [event for event in events if event["kind"] == "rung"]
    for at, (event, own) in enumerate(zip(rungs, scores, strict=True)):
        event |= {"score": min(scores[: at + 1]), "rung_score": own}
        if losses is not None:
            event["train_loss"] = losses[at]
    return history(events)


@pytest.mark.parametrize(
    ("scores", "losses", "word"),
    [
        ([5000.0], None, "one rung"),
        ([5000.0, 4900.0, 4890.0], None, "still falling"),
        ([5000.0, 4900.0, 4899.0], None, "plateau"),
        ([5000.0, 4900.0, 4901.0], None, "plateau"),
        ([5000.0, 4900.0, 4910.0], None, "overfitted"),
        ([5000.0, 4900.0, 4910.0], [1.0, 0.9, 0.8], "overfitted"),
        ([5000.0, 4900.0, 5200.0], [1.0, 0.9, 1.1], "diverged"),
        ([4900.0, 4950.0, 4898.0], [1.0, 0.9, 0.8], "still falling"),  # beside the best before, not the one before
    ],
)
def test_a_shape_is_that_of_the_last_rung_beside_the_best_before_it(
    scores: list[float], losses: list[float] | None, word: str
) -> None:
    [record] = trained(scores, losses).records
    assert shape(record) == word
    assert f"({word}" in curve(record)


def test_a_curve_tells_the_training_loss_and_how_far_it_came() -> None:
    [record] = trained([5000.0, 4900.0], [1.23456, 1.1], status="stopped").records
    assert curve(record) == ("c0000: 5000.0 4900.0 (still falling, stopped at rung 2 of 4), training loss 1.235 to 1.1")


def test_slices_are_those_of_the_best_rung_beside_the_best_baseline() -> None:
    told: list[dict[str, Any]] = tell(candidate(0), 5000.0, 4900.0) + tell(candidate(1), 4000.0, status="stopped")
    for number, event in enumerate(event for event in told if event["kind"] == "rung"):
        event["scores_by_asset"] = {"BTC": 10.0 + number, "ETH": 20.0}
        event["scores_by_interval"] = {"5min": 7.0, "24hour_abs": 5.0}
        event["scores_by_hour"] = {"00": 15.25}
    baselines = {"kind": "baselines", "time": 0.0, "scores": {"ewma": 6000.0, "fhs": 5100.0}}
    slice_ = {"by_asset": {"BTC": 12.0, "ETH": 21.0}, "by_hour": {"00": 16.0}}
    assert list(slices(history([{**baselines, **slice_}], told))) == [
        "\tBTC\tETH\t5min\t24hour_abs\t00h",
        "fhs\t12.0\t21.0\t-\t-\t16.0",
        "c0000\t11.0\t20.0\t7.0\t5.0\t15.2",
    ]
    assert list(slices(history([baselines], told)))[1].startswith("c0000")  # of an older version
    assert list(slices(history(tell(candidate(0), 5000.0)))) == []
