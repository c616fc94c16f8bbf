"""What a model is told of blocks and heads, from small tables whose text can be read."""

from __future__ import annotations

from typing import Any

from synthcity.agents.prompts.components import brief_components, describe_components


def number(name: str, kind: str = "int", **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "default": 2, "low": 1, "high": 4, "choices": (), "doc": "", **more}


RATE = number("rate", "float", default=0.001, low=0.0002, high=0.008, log=True, doc="how fast")
LEVEL = number("level", "bool", default=True)
LAW = number("law", "choice", default="normal", choices=("normal", "student"), doc="of a step")
LAYERS = number("layers", doc="stacked")
SPACE = {
    "max_blocks": 3,
    "shared": [RATE],
    "blocks": {
        "gru": {"doc": "Gated memory. It forgets.\n More.", "parameters": [LAYERS]},
        "lstm": {"doc": "Long memory", "parameters": [LAYERS, LEVEL]},
        "tcn": {"doc": "", "parameters": [LAYERS]},
    },
    "heads": {"gbm": {"doc": "Brownian.", "parameters": [LAW]}},
}


def test_everything_is_told_with_range_scale_and_default() -> None:
    assert (
        describe_components(SPACE)
        == """Shared parameters:
    rate: float in [0.0002, 0.008], logarithmic, default 0.001; how fast

Blocks (at most 3 in a row, repeats allowed):
- gru: Gated memory. It forgets. More.
    layers: int in [1, 4], default 2; stacked
- lstm: Long memory
    layers: int in [1, 4], default 2; stacked
    level: true or false, default true
- tcn
    layers: int in [1, 4], default 2; stacked

Heads:
- gbm: Brownian.
    law: one of normal, student, default normal; of a step"""
    )


def test_in_brief_a_component_is_a_line_and_what_many_share_is_told_once() -> None:
    assert (
        brief_components(SPACE, focus=["gbm"])
        == """Options stand in brackets, as name=default (its values; log: logarithmic).

Shared:
- rate=0.001 (0.0002..0.008 log): how fast

Options of many components, named alone below:
- layers=2 (1..4)

Blocks (0 to 3, in any order):
- gru: Gated memory. [layers]
- lstm: Long memory. [layers; level=true (true|false)]
- tcn: . [layers]

Heads:
- gbm: Brownian. [law=normal (normal|student)]
    law: of a step"""
    )


def test_long_texts_are_cut_at_a_sentence_or_at_their_length() -> None:
    sentences = {"blocks": {"a": {"doc": "Short one. " + "y" * 400}}}
    assert describe_components(sentences) == "Blocks:\n- a: Short one."
    endless = describe_components({"blocks": {"a": {"doc": "y" * 400}}})
    assert endless == "Blocks:\n- a: " + "y" * 300
    line = brief_components({"blocks": {"a": {"doc": "y" * 400}}}).splitlines()[-1]
    assert line == "- a: " + "y" * 127 + ".... []"


def test_nothing_to_tell_is_no_section() -> None:
    assert describe_components({}) == ""
    assert brief_components({}).count("\n") == 0
