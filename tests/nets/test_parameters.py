"""Hyperparameters are declared once, typed, and refused with their value and their range."""

from dataclasses import dataclass
from typing import Any

import pytest

from synthcity.errors import ConfigError
from synthcity.nets.parameters import Parameter, boolean, choice, integer, parameters_of, parse, real


@dataclass(frozen=True, kw_only=True)
class Config:
    layers: int = integer(2, low=1, high=4, doc="stacked layers")
    rate: float = real(0.1, low=0.01, high=0.5, log=True, doc="of learning")
    law: str = choice("normal", ("normal", "student"), doc="of a step")
    width: int = choice(1, (1, 2, 4), doc="heads")
    level: bool = boolean(True, doc="one a path")
    plain: int = 7  # no hyperparameter


def test_declared_fields_are_told_in_order_as_plain_data() -> None:
    found = parameters_of(Config)
    assert [p.name for p in found] == ["layers", "rate", "law", "width", "level"]
    assert found[0] == Parameter(name="layers", kind="int", default=2, low=1, high=4, doc="stacked layers")
    assert (found[1].kind, found[1].log) == ("float", True)
    assert found[2].choices == ("normal", "student")
    assert found[4].kind == "bool"


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [("layers", 4, 4), ("layers", 3.0, 3), ("rate", 0.5, 0.5), ("rate", 0.01, 0.01), ("law", "student", "student")],
)
def test_values_come_back_in_their_own_type_up_to_both_ends(name: str, value: Any, read: Any) -> None:
    found = getattr(parse(Config, {name: value}, "net"), name)
    assert found == read
    assert type(found) is type(read)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("layers", 0, r"net.layers is 0; it must lie in \[1, 4\]"),
        ("layers", 5, r"net.layers is 5; it must lie in \[1, 4\]"),
        ("layers", 2.5, "net.layers is 2.5; it must be a number of kind int"),
        ("layers", True, "net.layers is True; it must be a number of kind int"),
        ("layers", "2", "net.layers is '2'; it must be a number of kind int"),
        ("rate", float("nan"), r"net.rate is nan; it must lie in"),
        ("rate", None, "net.rate is None; it must be a number of kind float"),
        ("law", "cauchy", r"net.law is 'cauchy'; it must be one of \['normal', 'student'\]"),
        ("width", True, r"net.width is True; it must be one of \[1, 2, 4\]"),
        ("level", 1, "net.level is 1; it must be true or false"),
        ("lyers", 1, "unknown key of net 'lyers'; did you mean 'layers'"),
        ("plain", 1, "unknown key of net 'plain'"),
    ],
)
def test_what_cannot_be_is_refused_with_the_value_and_the_remedy(name: str, value: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        parse(Config, {name: value}, "net")


def test_what_is_left_out_takes_its_default() -> None:
    assert parse(Config, {}, "net") == Config()
