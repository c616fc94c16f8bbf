"""What a run cost, and what of it a proven lead."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.search.journal.sessions import Cost
from synthcity.search.report.price import price, price_line


def lead(mean: float) -> Any:
    return {"fhs": {"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "by_asset": {}}}


def verdict(*, proven: bool) -> Any:
    return {"proven": proven, "best_baseline": "fhs"}


def test_a_proven_lead_costs_so_much_a_tenth_of_a_percent() -> None:
    told = price(Cost(usd=11.0, gpu_hours=20.0), 1.0, verdict(proven=True), lead(-0.5))
    assert (told["usd"], told["machine_usd"], told["is_rented"]) == (12.0, 11.0, True)
    assert told["usd_per_tenth"] == pytest.approx(2.4)
    assert told["gpu_hours_per_tenth"] == pytest.approx(4.0)
    assert price_line(told) == (
        "20.0 GPU hours; 12.00 USD; 2.40 USD and 4.00 GPU hours for each proven tenth of a percent"
    )


def test_what_proves_nothing_has_a_cost_and_no_price() -> None:
    for proven, mean in ((False, -0.5), (True, 0.5)):
        told = price(Cost(usd=3.0), 0.0, verdict(proven=proven), lead(mean))
        assert told["usd_per_tenth"] is None
        assert price_line(told) == "3.00 USD"


def test_ones_own_machines_cost_nothing_and_it_is_said() -> None:
    told = price(Cost(gpu_hours=2.0), 0.0, verdict(proven=True), lead(-0.4))
    assert price_line(told) == (
        "2.0 GPU hours; 0.00 USD, own machines at 0 USD; 0.50 GPU hours for each proven tenth of a percent"
    )
