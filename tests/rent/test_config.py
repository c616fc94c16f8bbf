from __future__ import annotations

from decimal import Decimal

import pytest

from synthcity.errors import ConfigError
from synthcity.rent.config import Limits, NodeType, bounded, usd
from synthcity.schema import build
from synthcity.settings import Settings
from tests.rent.builders import node_type

PLAIN = {"name": "gpu", "gpus": ["a100 80GB"], "max_hourly_rate": 1.5}


def test_a_node_type_is_read_from_plain_data() -> None:
    found = build(NodeType, {**PLAIN, "boot": "10m", "max_lease": "2h", "spot": "allow"})
    assert (found.gpus, found.max_hourly_rate, found.boot, found.max_lease) == (
        ("A100",),
        Decimal("1.5"),
        600.0,
        7200.0,
    )
    assert found.kind == "gpu"
    assert build(NodeType, {"name": "cpu", "max_hourly_rate": "0.20"}).kind == "cpu"
    assert build(Limits, {"hourly": 4, "spend": "60.00"}) == Limits(hourly=Decimal(4), spend=Decimal("60.00"))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"max_hourly_rate": 0}, "max_hourly_rate must be USD, more than 0"),
        ({"max_hourly_rate": -1}, "max_hourly_rate must be USD"),
        ({"max_hourly_rate": "nan"}, "max_hourly_rate must be USD"),
        ({"max_hourly_rate": float("inf")}, "max_hourly_rate must be USD"),
        ({"max_hourly_rate": "1,5"}, "max_hourly_rate must be USD"),
        ({"max_hourly_rate": True}, "max_hourly_rate must be USD"),
        ({"max_nodes": 0}, "max_nodes must be at least 1"),
        ({"name": "GPU"}, "name must be 1 to 12 small letters"),
        ({"spot": "maybe"}, "unknown value 'maybe'"),
        ({"boot": "1s"}, "boot must be at least"),
        ({"gpus": "A100"}, "gpus must be a list of GPUs"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(change: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        build(NodeType, {**PLAIN, **change})


def test_an_amount_keeps_its_digits() -> None:
    assert usd(0.1) + usd("0.2") == Decimal("0.3")


def test_the_environment_goes_before_a_file() -> None:
    settings = Settings.load({"BASILICA_MAX_HOURLY_RATE": "1.20", "BASILICA_ALLOWED_GPU_TYPES": "A6000,H100"}, None)
    found = bounded(node_type(gpus=("A100", "RTX A6000")), settings)
    assert (found.gpus, found.max_hourly_rate) == (("RTX A6000",), Decimal("1.20"))
    assert bounded(node_type(gpus=("H100",), max_hourly_rate=Decimal("0.9")), settings).max_hourly_rate == Decimal(
        "0.9"
    )
    assert bounded(node_type(gpus=()), settings).gpus == ()
    with pytest.raises(ConfigError, match="BASILICA_ALLOWED_GPU_TYPES allows RTX A6000, H100, but gpu wants A100"):
        bounded(node_type(), settings)
