from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import pytest

from synthcity.agents.signature import describe


def look(
    context: Any,
    asset: str,
    top: Annotated[int, {"minimum": 1}] = 5,
    order: Literal["best", "worst"] = "best",
    blocks: list[str] | None = None,
    weights: Mapping[str, float] = {},
    rows: Sequence[bool] = (),
    extra: Any = None,
) -> str:
    """Look at trials.

    The second paragraph
    counts too.

    Args:
        context: not for the model.
        asset: its name: BTC
            or ETH.
        top: how many.
        order: which first.
        blocks: only these.
        weights: of each.
        rows: which.
        extra: anything.

    Returns:
        A table: id and score.
    """
    return ""


def test_hints_and_docstring_become_a_schema() -> None:
    summary, schema = describe(look, skip="context")
    assert summary == "Look at trials. The second paragraph counts too."
    assert schema == {
        "type": "object",
        "properties": {
            "asset": {"type": "string", "description": "its name: BTC or ETH."},
            "top": {"type": "integer", "minimum": 1, "description": "how many.", "default": 5},
            "order": {"enum": ["best", "worst"], "description": "which first.", "default": "best"},
            "blocks": {
                "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}],
                "description": "only these.",
                "default": None,
            },
            "weights": {
                "type": "object",
                "additionalProperties": {"type": "number"},
                "description": "of each.",
                "default": {},
            },
            "rows": {"type": "array", "items": {"type": "boolean"}, "description": "which.", "default": ()},
            "extra": {"description": "anything.", "default": None},
        },
        "required": ["asset"],
        "additionalProperties": False,
    }


def silent(a: int) -> None: ...


def unlisted(a: int) -> None:
    """Do it."""


def unhinted(a) -> None:  # type: ignore[no-untyped-def]
    """Do it.

    Args:
        a: what.
    """


def strange(a: complex) -> None:
    """Do it.

    Args:
        a: what.
    """


def spread(*a: int) -> None:
    """Do it."""


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (silent, "the tool silent needs a docstring"),
        (unlisted, "needs a type hint and a line under Args: for 'a'"),
        (unhinted, "needs a type hint and a line under Args: for 'a'"),
        (strange, r"strange\(a\) has a type that no schema is known for: <class 'complex'>"),
        (spread, "must take its arguments by name"),
    ],
)
def test_what_a_model_could_not_use_is_refused(function: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        describe(function)
