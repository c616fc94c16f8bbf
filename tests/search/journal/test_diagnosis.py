"""What a repair says of itself, and which candidates a limit shuts out."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.search.journal.diagnosis import CATALOGUE, MODEL, Diagnosis, Patch, at_least_as_large, read_patch
from tests.search.builders import config


@pytest.mark.parametrize("by", [CATALOGUE, MODEL])
def test_a_rationale_is_read_as_it_was_written(by: str) -> None:
    patch = Patch("nan (twice)", by, "d_model 32 to 16: smaller")
    assert read_patch(str(patch)) == patch


@pytest.mark.parametrize("text", ["drawn at random", "nan (someone): x", ""])
def test_a_rationale_that_says_less_is_all_change(text: str) -> None:
    assert read_patch(text) == Patch("", "", text)


def test_a_diagnosis_comes_back_from_plain_data() -> None:
    told = Diagnosis(trial="c1", fingerprint="f", cause="nan", action="leave", by="model", reason="so", usd=0.5)
    assert told.to_dict()["id"] == "c1"
    assert Diagnosis.from_dict(told.to_dict()) == told


@pytest.mark.parametrize(
    ("changes", "as_large"),
    [
        ({}, True),
        ({"d_model": 64}, True),
        ({"d_model": 16}, False),
        ({"training": {"batch_size": 24}}, False),
        ({"head": {"name": "sde"}}, False),
        ({"blocks": [{"name": "tcn"}, {"name": "lstm"}, {"name": "gru"}]}, True),
        ({"blocks": [{"name": "lstm"}]}, False),
        ({"blocks": [{"name": "lstm"}, {"name": "lstm"}]}, False),
    ],
)
def test_only_what_holds_all_of_it_is_as_large(changes: dict[str, Any], as_large: bool) -> None:
    limit = {"blocks": [{"name": "lstm"}, {"name": "tcn"}], "training": {"batch_size": 48}}
    assert at_least_as_large(config(**{**limit, **changes}), config(**limit)) is as_large
