from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest

from synthcity.errors import ConfigError
from synthcity.schema import build, check, dotted_keys, duration, key, local_path, local_paths, plain, seconds


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float = key(0.5, low=0.0, high=1.0)
    colour: str = key("red", choices=("red", "green"))
    every: float = duration(60.0, high=86400)
    patience_seconds: float = seconds(5.0, low=1, high=60)
    kind: Literal["a", "b"] = "a"

    def __post_init__(self) -> None:
        check(self, "inner.")


@dataclass(frozen=True, kw_only=True)
class Outer:
    count: int = key(low=1)
    flag: bool = key(False)
    names: tuple[str, ...] | None = key(None)
    shares: tuple[float, ...] = key((), low=0, high=1)
    folder: str = key("runs", parse=local_path)
    earlier: tuple[str, ...] = key((), parse=local_paths)
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
        ({"count": 1, "inner": {"rate": float("nan")}}, "inner.rate must be a finite number, got nan"),
        ({"count": 1, "inner": {"rate": 10**400}}, "inner.rate must be a finite number, got inf"),
        ({"count": "x" * 999}, r"count must be a whole number, got 'x{79}\.\.\.$"),
        ({"count": 1, "shares": [0.5, 2]}, r"shares\[1\] must be at most 1, got 2"),
        ({"count": 1, "shares": [True]}, r"shares\[0\] must be a number, got True"),
        (
            {"count": 1, "inner": {"every": 60}},
            "inner.every must be a duration with its unit, such as 60s, 60min",
        ),
        ({"count": 1, "inner": {"every": "60"}}, "inner.every must be a duration with its unit, such as 60s"),
        ({"count": 1, "inner": {"every": "25h"}}, "inner.every must be at most 1d, got 1d1h"),
        ({"count": 1, "inner": {"patience_seconds": "2m"}}, "inner.patience_seconds must be at most 60, got 120"),
        (
            {"count": 1, "inner": {"patience_seconds": True}},
            "_seconds must be a number of seconds, or a duration",
        ),
        ({"count": 1, "inner": {"kind": "c"}}, "inner.kind: unknown value 'c'"),
        ({"count": 1, "folder": ""}, "folder must be the name of a file or folder, got ''"),
        ({"count": 1, "folder": "a\0b"}, "folder must be the name of a file or folder"),
        ({"count": 1, "earlier": "runs"}, "earlier must be a list of files or folders"),
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
    assert dotted_keys(Outer)[5:9] == ["earlier", "inner", "inner.rate", "inner.colour"]


def test_an_error_carries_its_key() -> None:
    for data, name in (({"count": 0}, "count"), ({"count": 1, "inner": {"rat": 1}}, "inner.rat"), ({}, "")):
        with pytest.raises(ConfigError) as caught:
            build(Outer, data)
        assert caught.value.key == name


def test_plain_data_is_read_back_to_an_equal_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    data = {"count": 3, "shares": [0.5], "inner": {"every": "1h30m", "patience_seconds": "20s"}, "folder": "~/runs"}
    outer = build(Outer, data)
    assert (outer.folder, outer.inner.patience_seconds) == ("/home/somebody/runs", 20.0)
    assert plain(outer)["inner"]["every"] == "1h30m"
    assert build(Outer, plain(outer)) == outer


def test_what_python_code_makes_is_checked_too() -> None:
    with pytest.raises(ConfigError, match=r"inner\.rate must be at most 1, got 2"):
        Inner(rate=2)
    with pytest.raises(ConfigError, match=r"inner\.every must be at most 1d"):
        Inner(every=1e6)
    with pytest.raises(ConfigError, match=r"inner\.rate must be a number, got None"):
        Inner(rate=None)  # type: ignore[arg-type]
