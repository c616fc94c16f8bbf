"""What a report says of the user's library."""

from __future__ import annotations

from synthcity.search.journal.history import TrialHistory
from synthcity.search.report.library import from_library, from_research, kept_of
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


def test_what_this_run_found_is_told_with_its_claim_and_its_part() -> None:
    claim = {"arm": "model", "mean": -0.314, "low": -0.5, "high": -0.1, "confidence": 0.9, "prompts": 120}
    told = {
        "kind": "researched",
        "sentence": "by the model, 4 tested",
        "found": [{**INPUT, **claim}, {**KEPT, **claim, "arm": "control"}],
        "inputs": [INPUT["name"], "older-0a1b2c"],
        "forecasters": [KEPT["name"]],
        "seconds": 10.0,
        "usd": 0.5,
        "time": BEGIN,
    }
    mix = {"kind": "mix", "members": ["c0001", "har-found"], "weights": [0.75, 0.25], "time": BEGIN}
    winner = {"kind": "winner", "name": "mix", "bundle": "winner", "time": BEGIN}
    assert from_research(TrialHistory.replay([])) == ""
    assert from_research(TrialHistory.replay([told, mix, winner])) == (
        "Research beside the trials, on prices of the train period alone: by the model, 4 tested. "
        "Found in this run by the model: the input cycle-7-1-0a1b2c (recipe, sha256 abababababab), on days that it was "
        "not found on −0.314 % (−0.50 to −0.10 %, 90 % interval, 120 prompts). "
        "Found in this run by the control: the forecaster swing-0a1b2c (forecaster, sha256 cdcdcdcdcdcd), on days that "
        "it was not found on −0.314 % (−0.50 to −0.10 %, 90 % interval, 120 prompts). "
        "har-found, which knows cycle-7-1-0a1b2c, older-0a1b2c, is 25 % of the mix, which is frozen. "
        "The forecaster swing-0a1b2c is no part of the mix."
    )
