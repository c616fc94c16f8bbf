"""Roles at work against a scripted model: what they may call, what they give, and what the program says of that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.search.roles import ROLES, find_role
from synthcity.search.roles.role import CHAT
from tests.search.roles.conftest import Work


def test_talking_is_no_result(let_work: Work, tmp_path: Path) -> None:
    outcome = let_work("planner", ["plain"] * 3)
    assert outcome.agent.status == "gave_up"
    assert outcome.measured == ()
    assert json.loads((tmp_path / CHAT).read_text())["result"] is None


@pytest.mark.parametrize("name", sorted(ROLES))
def test_every_role_is_what_its_name_says(name: str) -> None:
    assert find_role(name).name == name


def test_an_unknown_role_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown agent 'planer'; did you mean 'planner'"):
        find_role("planer")
