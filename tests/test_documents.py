"""YAML of people: what they meant or one sentence, with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthcity.documents import apply_settings, parse_yaml, read_yaml, write_setting, write_yaml
from synthcity.errors import ConfigError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("5e3", 5000.0),
        (".5", 0.5),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-7", -7),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("null", None),
        ("", None),
        ("2025-02-30", "2025-02-30"),
        ("2025-02-15", "2025-02-15"),
        ("2025-02-15 10:00:00", "2025-02-15 10:00:00"),
        ("1h30m", "1h30m"),
        ("'010'", "010"),
        (".inf", float("inf")),
        ("=", "="),
    ],
)
def test_scalars_are_what_they_look_like(text: str, value: object) -> None:
    found = parse_yaml(text, "here")
    assert (found, type(found)) == (value, type(value))


TEXTS = st.text("aenouy01.-:_~<=x #\n", max_size=6)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), PLAIN, max_size=3))
def test_what_is_written_is_read_back(data: dict[str, Any]) -> None:
    assert parse_yaml(write_yaml(data), "here") == data


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("search: {a: 1}\nllm: 2\nsearch: {b: 1}", "at line 3: the key 'search' stands twice in its section, first at"),
        ("a:\n  b: 1\n  b: 1", "at line 3: the key 'b' stands twice in its section, first at line 2"),
        ("a: [{b: 1, 'b': 2}]", "at line 1: the key 'b' stands twice"),
        ("a: 1\n<<: {b: 1}\n<<: {b: 2}", "at line 3: the key '<<' stands twice"),
        ("a: &x [*x]", "at line 1: it holds itself, by an alias"),
        ("a: &x {b: {c: *x}}", "it holds itself, by an alias"),
        (BOMB, "at line 6: its aliases make it too large"),
        ("[" * 5000, "it is nested too deeply"),
        ("a: !!timestamp 2025-02-30", "at line 1: '2025-02-30' is no timestamp"),
        ("a: !!int x", "'x' is no int"),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        ("a: " + "9" * 5000, "is no int"),
        ("? [1]\n: 2", "a key must be text"),
        ("a: 1\n---\na: 2", "at line 2"),
        ("a: b: c", "at line 1: mapping values are not allowed here"),
        ("a:\n\tb: 1", "at line 2"),
        ("a: \x07", "special characters are not allowed"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_yaml(path, "sweep file")
    assert str(caught.value).startswith(f"the sweep file {str(path)!r} is no valid YAML")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "asked", "sentence"),
    [
        (
            "service: {model: fhs}",
            "sweep file",
            "a service file, not a sweep file: `synthcity serve --config {}`",
        ),
        (
            "competition: x\ndata: {}",
            "service file",
            "a sweep file, not a service file: `synthcity search {}` reads",
        ),
        ("blocks: []\nhead: {name: gbm}", "sweep file", "a network, not a sweep file: put it under search.candidates"),
    ],
)
def test_another_kind_of_file_is_named(tmp_path: Path, text: str, asked: str, sentence: str) -> None:
    path = tmp_path / "some.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_yaml(path, asked)
    assert sentence.format(path) in str(caught.value)


def test_an_error_of_a_key_gets_its_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text("competition: x\nsearch:\n  trials: 0\n  arms: [1,\n    2]\n")
    document = read_yaml(path, "sweep file")

    def located(key: str, *settings: str) -> str:
        error = ConfigError("it is wrong")
        error.key = key
        with pytest.raises(ConfigError) as caught, document.located(settings):
            raise error
        return str(caught.value)

    assert located("search.trials") == f"{path}, line 3: it is wrong"
    assert located("search.arms[1]") == f"{path}, line 5: it is wrong"
    assert located("search.unheard.of") == f"{path}, line 2: it is wrong"
    assert located("") == f"{path}: it is wrong"
    assert located("search.trials", "search.trials=0") == "it is wrong"
    assert located("search.arms[1]", "search.arms=[1, 2]") == "it is wrong"


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
        ("count=[", "--set count is no valid YAML"),
        ("count={a: 1, a: 2}", "--set count is no valid YAML: the key 'a' stands twice"),
        ("inner..rate=1", "takes key=value"),
        ("count.deep=3", "'count' holds a value"),
    ],
)
def test_refuses_bad_settings(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        apply_settings({"count": 1}, [setting])


@pytest.mark.parametrize(
    "value", ["it's here", 'a "b"', "7", "null", "a: b # c", "[x]", "C:\\runs", "Zürich 🌍", "a\tb\n", 7, [1, "'"]]
)
def test_a_setting_is_read_back_whatever_its_signs(value: object) -> None:
    assert apply_settings({}, [write_setting("run.output", value)]) == {"run": {"output": value}}
