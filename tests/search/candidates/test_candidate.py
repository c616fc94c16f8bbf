"""A candidate as the journal knows it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from synthcity.search.candidates.candidate import Candidate
from tests.search.builders import candidate, config

WHOLE = replace(candidate(7, "tpe"), parent="c0003", rationale="nearer", usd=0.25, arms={"llm.refine": "resting"})


def test_it_comes_back_from_plain_data() -> None:
    assert Candidate.from_dict(json.loads(json.dumps(WHOLE.to_dict()))) == WHOLE


def test_what_an_older_journal_does_not_tell_takes_its_default() -> None:
    told = {k: v for k, v in WHOLE.to_dict().items() if k in ("index", "source", "config", "hash")}
    found = Candidate.from_dict(told)
    assert (found.parent, found.rationale, found.usd, found.arms) == (None, "", 0.0, {})


@pytest.mark.parametrize(("index", "name"), [(0, "c0000"), (42, "c0042"), (12345, "c12345")])
def test_its_name_is_its_number(index: int, name: str) -> None:
    named = replace(WHOLE, index=index)
    assert named.id == named.to_dict()["id"] == name


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "lstm>gbm"),
        ({"blocks": [{"name": "tcn"}, {"name": "gru"}], "head": {"name": "sde"}}, "tcn+gru>sde"),
        ({"blocks": []}, "none>gbm"),
    ],
)
def test_its_architecture_is_one_word(changes: dict[str, object], word: str) -> None:
    assert replace(WHOLE, config=config(**changes)).architecture == word


def test_a_config_without_a_head_shows_so() -> None:
    assert replace(WHOLE, config={"blocks": [{"name": "gru"}]}).architecture == "gru>?"
