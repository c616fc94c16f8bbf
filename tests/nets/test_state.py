"""A training state as bytes: whole, or refused."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from synthcity.errors import BundleError, ConfigError
from synthcity.market.windows import WindowSpec
from synthcity.nets.state import Meta, dump, fill, group, parse, spec_from_json, spec_to_json

META = Meta(
    config={"d_model": 16},
    competition="crypto-24h",
    rules="2026-09",
    spec=WindowSpec.of(300, 288),
    assets=("BTC", "ETH"),
    seed=3,
    step=40,
    scores=(5500.0, 5400.5),
)


def tensors() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "net.weight": torch.randn(4, 3, generator=generator).T,  # not contiguous
        "net.count": torch.tensor(7),
        "best.weight": torch.full((2,), 0.5, dtype=torch.bfloat16),
    }


def test_what_went_in_comes_out() -> None:
    found, meta = parse(dump(tensors(), META))
    assert meta == META
    assert found.keys() == tensors().keys()
    for name, value in tensors().items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value)


def test_the_same_state_is_the_same_bytes() -> None:
    assert dump(tensors(), META) == dump(tensors(), META)
    assert dump(tensors(), META) != dump(tensors(), replace(META, step=41))


@pytest.mark.parametrize("at", [-1, -9])
def test_one_turned_bit_of_a_weight_is_seen(at: int) -> None:
    blob = bytearray(dump(tensors(), META))
    blob[at] ^= 1
    with pytest.raises(BundleError, match="damaged or foreign: it differs from its hash"):
        parse(bytes(blob))


def test_a_changed_header_is_seen() -> None:
    blob = dump(tensors(), META).replace(b'\\"seed\\": 3', b'\\"seed\\": 4')
    assert b'\\"seed\\": 4' in blob
    with pytest.raises(BundleError, match="it differs from its hash"):
        parse(blob)


def test_a_state_from_before_there_were_hashes_is_read() -> None:
    import safetensors.torch

    old = safetensors.torch.save({"a": torch.ones(2)}, {"synthcity": json.dumps(asdict(META))})
    assert parse(old)[1] == META


@pytest.mark.parametrize("blob", [b"", b"nonsense", b"\x02" + bytes(7) + b"{}"])
def test_other_bytes_are_refused(blob: bytes) -> None:
    with pytest.raises(BundleError, match="a saved training state is damaged or foreign"):
        parse(blob)


def test_a_network_gets_its_weights() -> None:
    torch.manual_seed(0)
    given, network = nn.Linear(3, 2), nn.Linear(3, 2)
    fill(network, given.state_dict())
    assert torch.equal(network.weight, given.weight)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"weight": torch.full((2, 3), float("nan"))}, "weight holds numbers that no training ends at"),
        ({"weight": torch.full((2, 3), 2e6)}, "weight holds numbers that no training ends at"),
        ({"weight": torch.ones(2, 3, dtype=torch.float64)}, r"weight holds torch.float64 instead of torch.float32"),
        ({"weight": torch.ones(3, 3)}, "size mismatch"),
        ({"other": torch.ones(1)}, "Unexpected key"),
        ({"bias": None}, "Missing key"),
    ],
)
def test_weights_that_cannot_be_are_refused(change: dict[str, Any], sentence: str) -> None:
    weights = {k: v for k, v in {**nn.Linear(3, 2).state_dict(), **change}.items() if v is not None}
    with pytest.raises(RuntimeError, match=sentence):
        fill(nn.Linear(3, 2), weights)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"increment": 7}, "must lie within|no network forecasts"),
        ({"horizon": 10_001, "increment": 60}, "must lie within|no network forecasts"),
        ({"scales": []}, "scales of a network's windows must lie within 366 days"),
        ({"scales": [900, 900]}, "scales of a network's windows must increase"),
        ({"scales": [60]}, "scales of a network's windows must lie within 366 days"),
        ({"profile_days": [400]}, "profile_days of a network's windows must lie within 366 days"),
        ({"colour": 1}, "colour"),
    ],
)
def test_windows_that_no_competition_needs_are_refused(change: dict[str, Any], sentence: str) -> None:
    plain = json.loads(json.dumps(asdict(META.spec)))
    assert spec_from_json(plain) == META.spec
    with pytest.raises(ConfigError, match=sentence):
        spec_from_json({**plain, **change})


def test_a_group_is_what_begins_with_its_name_and_a_dot() -> None:
    found = group({"net.a.b": torch.ones(1), "nets.c": torch.ones(1), "best.a.b": torch.zeros(1)}, "net")
    assert list(found) == ["a.b"]


def test_windows_without_inputs_are_written_as_before_there_were_any() -> None:
    plain, told = (replace(META.spec, inputs=inputs) for inputs in (False, True))
    assert "inputs" not in spec_to_json(plain)
    assert [spec_from_json(spec_to_json(spec)) for spec in (plain, told)] == [plain, told]
