"""What a stand-in's script may say, and what it then does."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.agents.standin.script import MODELS, NAMES, Script
from synthcity.errors import ConfigError


def done(script: Script, count: int) -> list[str]:
    return [script.behaviour({}, index)["do"] for index in range(count)]


def test_replies_come_in_order_and_then_all_is_good() -> None:
    script = Script.parse(["cold", {"content": "x"}, {"do": "spam", "retry_after": 3}])
    assert done(script, 5) == ["cold", "good", "spam", "good", "good"]
    assert script.behaviour({}, 1) == {"do": "good", "content": "x"}


def test_a_mix_follows_the_replies_and_repeats_itself_by_its_seed() -> None:
    data = {"replies": ["cold"], "mix": {"seed": 5, "weights": {"good": 1, "spam": 1}}}
    first, again = (done(Script.parse(data), 30) for _ in range(2))
    assert first == again
    assert first[0] == "cold"
    assert set(first[1:]) == {"good", "spam"}
    assert done(Script.parse({**data, "mix": {**data["mix"], "seed": 6}}), 30) != first  # type: ignore[dict-item]


def test_chance_of_a_question_does_not_depend_on_those_before() -> None:
    script = Script.parse({"mix": {"weights": {"good": 1, "spam": 1}}})
    assert script.behaviour({}, 17) == script.behaviour({}, 17)


def test_a_policy_answers_before_the_replies() -> None:
    script = Script.parse(["cold"], policy=lambda body, index: body["say"])
    assert script.behaviour({"say": "spam"}, 0)["do"] == "spam"
    with pytest.raises(ConfigError, match="unknown behaviour 'spem'; did you mean 'spam'"):
        script.behaviour({"say": "spem"}, 0)


@pytest.mark.parametrize(
    ("listing", "gone"), [("ok", set()), ("no_features", {"supported_features"}), ("no_prices", {"pricing", "price"})]
)
def test_a_listing_leaves_out_what_it_says(listing: str, gone: set[str]) -> None:
    rows = Script.parse({"listing": listing}).rows()
    assert [row["id"] for row in rows] == [row["id"] for row in MODELS]
    assert all(MODELS[at].keys() - row.keys() == gone for at, row in enumerate(rows))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (["godo"], "unknown behaviour 'godo'; did you mean 'good'"),
        ({"reply": []}, "unknown key 'reply'; did you mean 'replies'"),
        ({"listing": "dwn"}, "unknown listing 'dwn'; did you mean 'down'"),
        ({"mix": {"weights": {"clod": 1}}}, "unknown behaviour 'clod'; did you mean 'cold'"),
    ],
)
def test_what_is_no_script_is_one_sentence(data: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=f"stand-in script: {sentence}"):
        Script.parse(data)


def test_every_behaviour_may_be_named() -> None:
    assert done(Script.parse(list(NAMES)), len(NAMES)) == list(NAMES)
