"""What a machine costs, and a part of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from synthcity.errors import DataError
from synthcity.rates import LABEL, Priced, label, rate


def test_a_price_comes_back_from_its_label() -> None:
    for text in ("0.65", "12", "0.000001"):
        assert rate(label(Decimal(text))) == float(text)
    assert rate({"ray.io/node-id": "abc"}) == 0.0


@pytest.mark.parametrize("told", ["", "free", "-1", "nan", "1e3", "1,5", "1.2.3", "²"])
def test_a_label_that_is_no_price_is_told(told: str) -> None:
    with pytest.raises(DataError, match="which is no price"):
        rate({LABEL: told})


def test_a_part_of_a_machine_costs_its_part() -> None:
    machine = Priced(cpus=16, gpus=2, usd_per_hour=1.2)
    assert machine.usd(1800, cpus=1, gpus=0.5) == pytest.approx(0.15)
    assert machine.usd(1800, cpus=1, gpus=0) == pytest.approx(0.0375), "a GPU that is not held makes nothing free"
    assert Priced(cpus=4, usd_per_hour=0.4).usd(3600, cpus=1, gpus=0) == pytest.approx(0.1)
    assert Priced(cpus=4).usd(3600, cpus=1, gpus=0) == 0
    assert Priced(cpus=0, usd_per_hour=1).usd(3600, cpus=1, gpus=0) == 1
