from __future__ import annotations

import pytest

from synthcity.errors import ConfigError
from synthcity.rent.gpus import COMMON, check_known, names, normalise


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("NVIDIA A100 80GB", "A100"),
        ("A100-SXM4-80GB", "A100"),
        ("a100 80 GB pcie", "A100"),
        ("rtx 4090", "RTX 4090"),
        ("RTX4090", "RTX 4090"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("A6000", "RTX A6000"),
        ("NVIDIA RTX A6000", "RTX A6000"),
        ("GH200 480GB", "GH200"),
        ("L40S", "L40S"),
        ("RTX 6000 Ada", "RTX 6000 ADA"),
        ("H100 MIG 1g.10gb", "H100 MIG 1G.10GB"),
        ("something new", "SOMETHING NEW"),
        ("80GB", "80GB"),
    ],
)
def test_a_gpu_has_one_name(name: str, one: str) -> None:
    assert normalise(name) == one
    assert normalise(one) == one


def test_common_names_are_normal_and_none_is_another() -> None:
    assert [normalise(name) for name in COMMON] == list(COMMON)
    assert len(set(COMMON)) == len(COMMON)
    assert normalise("A10") != normalise("A100")
    assert normalise("H100") != normalise("GH100")


def test_names_are_read_once_each() -> None:
    assert names(["A100", "a100 80GB", "A6000"]) == ("A100", "RTX A6000")
    for wrong in ("A100", [""], [5], None):
        with pytest.raises(ValueError, match="a list of GPUs"):
            names(wrong)


def test_a_mistyped_name_is_told_with_the_nearest() -> None:
    check_known(("A100", "BRAND NEW"), frozenset({"BRAND NEW"}))
    with pytest.raises(ConfigError, match="unknown GPU 'A1000'; did you mean 'A100'"):
        check_known(("A1000",), frozenset())
