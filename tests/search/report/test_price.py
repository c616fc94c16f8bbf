"""What a run cost, and what of it a proven lead."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.search.candidates.candidate import Candidate
from synthcity.search.journal.record import TrialRecord
from synthcity.search.journal.sessions import Cost
from synthcity.search.report.price import price, price_line


def lead(mean: float) -> Any:
    return {"fhs": {"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "by_asset": {}}}


def verdict(*, proven: bool) -> Any:
    return {"proven": proven, "best_baseline": "fhs"}


def test_a_proven_lead_costs_so_much_a_tenth_of_a_percent() -> None:
    told = price(Cost(usd=11.0, gpu_hours=20.0), 1.0, [], verdict(proven=True), lead(-0.5))
    assert (told["usd"], told["machine_usd"], told["is_rented"]) == (12.0, 11.0, True)
    assert told["usd_per_tenth"] == pytest.approx(2.4)
    assert told["gpu_hours_per_tenth"] == pytest.approx(4.0)
    assert price_line(told) == (
        "20.0 GPU hours; 12.00 USD; 2.40 USD and 4.00 GPU hours for each proven tenth of a percent"
    )


def test_what_proves_nothing_has_a_cost_and_no_price() -> None:
    for proven, mean in ((False, -0.5), (True, 0.5)):
        told = price(Cost(usd=3.0), 0.0, [], verdict(proven=proven), lead(mean))
        assert told["usd_per_tenth"] is None
        assert price_line(told) == "3.00 USD"


def test_of_ones_own_machines_no_money_is_told() -> None:
    told = price(Cost(gpu_hours=2.0), 0.0, [], verdict(proven=True), lead(-0.4))
    assert price_line(told) == "2.0 GPU hours; 0.50 GPU hours for each proven tenth of a percent"
    assert price_line(price(Cost(), 0.12, [], verdict(proven=False), {})) == "0.12 USD for language models"
    assert price_line(price(Cost(), 0.0, [], verdict(proven=True), lead(-0.4))) == ""


def test_what_the_ledger_says_stands_beside_what_trials_took() -> None:
    candidate = Candidate(index=0, source="tpe", config={"blocks": [], "head": {"name": "gbm"}}, hash="0" * 16)
    rungs: Any = ({"usd": 0.01, "gpu_seconds": 72.0},)
    trials = [TrialRecord(candidate=candidate, rungs=rungs)] * 2
    cost = Cost(usd=0.06, gpu_hours=0.1, is_ledger=True)
    assert price_line(price(cost, 0.0, trials, verdict(proven=False), {})) == (
        "0.1 GPU hours, 0.0 while trials trained, 0.05 a trial; 0.06 USD, 0.06 of it for machines by the cluster's "
        "ledger, which boot and idle, too, 0.02 while trials trained; 0.030 a trial"
    )
