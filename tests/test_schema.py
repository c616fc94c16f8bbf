from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from synthcity.errors import ConfigError
from synthcity.schema import apply_settings, build, dotted_keys, key, seconds


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float = key(0.5, low=0.0, high=1.0)
    colour: str = key("red", choices=("red", "green"))
    every: float = key(60.0, parse=seconds)


@dataclass(frozen=True, kw_only=True)
class Outer:
    count: int = key(low=1)
    flag: bool = key(False)
    names: tuple[str, ...] | None = key(None)
    inner: Inner = field(default_factory=Inner)
    table: Mapping[str, Inner] = field(default_factory=dict)


def test_reads_nested_values_and_keeps_defaults() -> None:
    outer = build(
        Outer, {"count": 3, "names": ["a"], "inner": {"rate": 1, "every": "11h"}, "table": {"x": {"colour": "green"}}}
    )
    assert outer == Outer(
        count=3, names=("a",), inner=Inner(rate=1.0, every=39600.0), table={"x": Inner(colour="green")}
    )
    assert isinstance(outer.inner.rate, float)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "the key count is missing"),
        ([1], "must hold keys and values, got \\[1\\]"),
        ({"count": "3"}, "count must be a whole number, got '3'"),
        ({"count": True}, "count must be a whole number, got True"),
        ({"count": None}, "count must be a whole number, got None"),
        ({"count": 0}, "count must be at least 1, got 0"),
        ({"count": 1, "flag": "yes"}, "flag must be true or false, got 'yes'"),
        ({"count": 1, "names": "a"}, "names must be a list"),
        ({"count": 1, "names": [1]}, "names\\[0\\] must be text, got 1"),
        ({"count": 1, "inner": 4}, "inner must hold keys and values, got 4"),
        ({"count": 1, "inner": {"rate": 2.0}}, "inner.rate must be at most 1"),
        ({"count": 1, "inner": {"rate": float("nan")}}, "inner.rate must be at least 0"),
        ({"count": 1, "inner": {"colour": "gren"}}, "inner.colour: unknown value 'gren'; did you mean 'green'"),
        ({"count": 1, "inner": {"every": "soon"}}, "inner.every must be a positive duration.*'soon'"),
        ({"count": 1, "inner": {"rat": 1}}, "unknown key 'inner.rat'; did you mean 'inner.rate'"),
        ({"count": 1, "rate": 1}, "unknown key 'rate'; did you mean 'inner.rate'"),
        ({"count": 1, "table": {"x": {"colr": 1}}}, "unknown key 'table.x.colr'; did you mean 'table.x.colour'"),
    ],
)
def test_refuses_in_one_sentence(data: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Outer, data)


def test_dotted_keys_name_sections_and_leaves() -> None:
    assert dotted_keys(Outer)[:5] == ["count", "flag", "names", "inner", "inner.rate"]


@pytest.mark.parametrize(
    ("text", "expected"), [("90s", 90), ("20m", 1200), ("97min", 5820), ("11h", 39600), ("2d", 172800), (7, 7)]
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "h", "-3h", "0s", "3 weeks", True, None, -1])
def test_nonsense_durations(text: object) -> None:
    with pytest.raises(ValueError, match="positive duration"):
        seconds(text)


def test_settings_reach_any_depth_and_leave_the_original() -> None:
    data = {"inner": {"rate": 0.1}}
    result = apply_settings(data, ["inner.rate=0.3", "count=4", "names=[a, b]", "table.x.colour=green"])
    assert result == {"inner": {"rate": 0.3}, "count": 4, "names": ["a", "b"], "table": {"x": {"colour": "green"}}}
    assert data == {"inner": {"rate": 0.1}}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("count", "takes key=value"),
        ("=3", "takes key=value"),
        ("count=[", "no YAML value"),
        ("count.deep=3", "'count' holds a value"),
    ],
)
def test_refuses_bad_settings(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        apply_settings({"count": 1}, [setting])
