"""The publisher's tools, and that nothing it says gets a run past the gate."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from synthcity.agents.tools import build_toolset
from synthcity.errors import ConfigError
from synthcity.publish.role import ROLE, Desk
from synthcity.search.roles import find_role
from synthcity.search.roles.context import RoleContext
from synthcity.settings import Settings
from tests.publish.hostile import HOSTILE
from tests.standins.hub import TOKEN, RunningHub

pytestmark = pytest.mark.usefixtures("scored_once")


@pytest.fixture
def desk(proven: Path, settings: Settings) -> Desk:
    other = Path(shutil.copytree(proven, proven.parent / "liar"))
    HOSTILE["edited verdict"][0](other)
    return Desk(Desk.beside(proven).runs, settings)


def test_it_publishes_what_the_gate_lets_pass_and_nothing_else(desk: Desk, proven: Path, hub: RunningHub) -> None:
    tools = build_toolset("publisher", desk)
    assert sorted(tools.names) == ["examine_run", "list_runs", "publish_run"]
    assert '"sealed"' in tools.call("list_runs", "{}").text
    assert "an event of it was edited" in tools.call("examine_run", '{"run": "liar"}').text
    refused = tools.call("publish_run", '{"run": "liar"}')
    assert not refused.ok
    assert "not published: the journal of" in refused.text
    assert hub.commits("me/models") == []
    done = tools.call("publish_run", '{"run": "proven"}')
    assert done.ok, done.text
    assert TOKEN not in done.text
    context = RoleContext.of_run(proven)
    [line] = ROLE.measured(context, {"summary": "I published everything"})
    assert line.startswith("proven: hub me/models ")


@pytest.mark.parametrize(
    "arguments",
    [
        '{"run": "../proven"}',
        '{"run": "/etc"}',
        '{"run": "none"}',
        '{"run": "proven", "public": true}',
        '{"run": "proven", "with_code": true}',
        '{"run": "proven", "to": "elsewhere"}',
    ],
)
def test_it_names_runs_in_its_scope_and_no_flags(arguments: str, desk: Desk, hub: RunningHub) -> None:
    assert not build_toolset("publisher", desk).call("publish_run", arguments).ok
    assert hub.asked() == []


def test_it_needs_a_run(proven: Path) -> None:
    assert find_role("publisher") is ROLE
    context = RoleContext.of_run(proven)
    assert ROLE.values(context) == {}
    without = RoleContext(context.config, [])
    with pytest.raises(ConfigError, match="name one of them with --run"):
        ROLE.values(without)
