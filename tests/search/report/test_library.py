"""What a report says of the user's library."""

from __future__ import annotations

from synthcity.search.journal.history import TrialHistory
from synthcity.search.report.library import from_library, kept_of
from tests.search.sample_run import BEGIN

KEPT = {"name": "swing-0a1b2c", "made_by": "forecaster", "sha256": "cd" * 32}
INPUT = {"name": "cycle-7-1-0a1b2c", "made_by": "recipe", "sha256": "ab" * 32}


def history(weights: dict[str, float], winner: str = "mix") -> TrialHistory:
    return TrialHistory.replay(
        [
            {"kind": "inputs", "forecaster": "har-inputs", "inputs": [INPUT], "time": BEGIN},
            {"kind": "forecasters", "forecasters": [KEPT], "seconds": 1.0, "time": BEGIN},
            {"kind": "mix", "members": list(weights), "weights": list(weights.values()), "time": BEGIN},
            {"kind": "winner", "name": winner, "bundle": "winner", "time": BEGIN},
        ]
    )


def test_a_forecaster_stands_beside_the_inputs_with_its_part_and_its_digest() -> None:
    told = history({"c0001": 0.7, "swing-0a1b2c": 0.3})
    assert from_library(told).endswith(
        "is no part of the mix. Its forecaster swing-0a1b2c (sha256 cdcdcdcdcdcd) is 30 % of the mix, which is frozen."
    )
    assert kept_of(told) == [INPUT, KEPT]
    assert from_library(history({"har": 0.5, "swing-0a1b2c": 0.5}, "c0001")).endswith("is 50 % of the mix.")
    assert from_library(history({"har": 1.0})).endswith("swing-0a1b2c (sha256 cdcdcdcdcdcd) is no part of the mix.")
