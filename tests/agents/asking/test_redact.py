from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthcity.agents.asking.redact import Redactor
from synthcity.settings import Secret, Settings

ENVIRON = {
    "BASILICA_API_TOKEN": "basilica-planted",
    "HIPPIUS_SECRET_KEY": 'quoted"planted\\x',
    "HF_TOKEN": "short",
    "KEYBOARD": "not-a-secret-at-all",
}
REDACTOR = Redactor.of(Settings(llm_api_key=Secret("my-own-planted")), ENVIRON)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a my-own-planted b", "a [secret] b"),
        ("basilica-planted,basilica-planted", "[secret],[secret]"),
        ('quoted"planted\\x', "[secret]"),
        ("short not-a-secret-at-all", "short not-a-secret-at-all"),
        ("cpk_0123456789abcdef.x.y", "[secret]"),
        ("hf_" + "a" * 30, "[secret]"),
        ("Authorization: Bearer abcdefghijklmnopqrstuv", "Authorization: Bearer [secret]"),
        ("half a \ud800 character", "half a ? character"),
    ],
)
def test_secrets_and_what_looks_like_one_are_taken_out(text: str, clean: str) -> None:
    assert REDACTOR.text(text) == clean


@given(st.text(), st.text())
def test_nothing_of_a_secret_is_left_in_data(before: str, after: str) -> None:
    text = f"{before}my-own-planted{after}"
    clean = REDACTOR.data({"k": [text, {text: (1, None, text)}]})
    assert "my-own-planted" not in json.dumps(clean)


def test_nonsense_without_a_bottom_becomes_a_text() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    assert REDACTOR.data(value) == "[nested too deeply]"
    while value:  # freed from outside: the interpreter would do it by recursion
        value = value.pop()  # type: ignore[assignment]


def test_it_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(REDACTOR)
    assert Redactor().data({"a": (1, 2.5, True, None)}) == {"a": [1, 2.5, True, None]}
