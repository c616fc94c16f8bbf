from __future__ import annotations

from typing import Any

import pytest

from synthcity.agents import tools
from synthcity.agents.tools import ToolRegistry, clip
from synthcity.errors import ConfigError, Fatal


def registry() -> ToolRegistry:
    made = ToolRegistry()

    @made.tool("planner", "debugger")
    def add(a: int, b: float = 1.0) -> float:
        """Add.

        Args:
            a: one.
            b: other.
        """
        return a + b

    @made.tool("planner")
    def remember(context: list[str], text: str) -> dict[str, Any]:
        """Remember.

        Args:
            text: what.
        """
        context.append(text)
        return {"known": context}

    @made.tool("debugger")
    def fail(how: str) -> str:
        """Fail.

        Args:
            how: badly.
        """
        raise {"fatal": Fatal, "value": ValueError}.get(how, KeyError)(how)

    @made.tool("debugger")
    def shout() -> str:
        """Shout."""
        return "start" + "x" * 10_000 + "end"

    return made


@pytest.mark.parametrize(
    ("name", "arguments", "text", "ok"),
    [
        ("add", '{"a": 1}', "2.0", True),
        ("add", '{"a": 1, "b": 2}', "3", True),
        ("add", "", "error: add cannot be called so: the value: 'a' is a required property", False),
        ("add", "null", "error: add cannot be called so: the value: 'a' is a required property", False),
        ("add", '{"a": "1"}', "error: add cannot be called so: a: '1' is not of type 'integer'", False),
        ("add", "[]", "error: add cannot be called so: the value: [] is not of type 'object'", False),
        ("add", '{"a": 1', "error: the arguments of add are no JSON: Expecting", False),
        ("add", '{"a": 1e999}', "error: the arguments of add are no JSON: 1e999 is no finite number", False),
        (
            "remember",
            '{"text": "x", "context": 1}',
            "error: remember cannot be called so: the value: Additional",
            False,
        ),
        ("remember", '{"text": "x"}', '{"known": ["before", "x"]}', True),
        ("ad", "{}", "error: unknown tool 'ad'; did you mean 'add'?", False),
        ("shout", "{}", "error: unknown tool 'shout'", False),
    ],
)
def test_whatever_a_model_writes_gets_an_answer(name: str, arguments: str, text: str, ok: bool) -> None:
    toolset = registry().build_toolset("planner", ["before"])
    result = toolset.call(name, arguments)
    assert result.text.startswith(text)
    assert result.ok == ok


def test_each_agent_has_its_own_tools() -> None:
    made = registry()
    assert made.build_toolset("planner").names == ["add", "remember"]
    assert made.build_toolset("debugger").names == ["add", "fail", "shout"]
    with pytest.raises(ConfigError, match="unknown agent 'planer'; did you mean 'planner'"):
        made.build_toolset("planer")
    (definition, _) = made.build_toolset("planner").definitions
    assert definition["function"]["name"] == "add"
    assert definition["function"]["description"] == "Add."
    assert definition["function"]["parameters"]["required"] == ["a"]


def test_errors_are_told_and_only_fatal_gets_through() -> None:
    toolset = registry().build_toolset("debugger")
    assert toolset.call("fail", '{"how": "value"}').text == "error: ValueError: value"
    assert toolset.call("fail", '{"how": "else"}').text == "error: KeyError: 'else'"
    with pytest.raises(Fatal):
        toolset.call("fail", '{"how": "fatal"}')


def test_results_and_errors_are_bounded() -> None:
    toolset = registry().build_toolset("debugger", max_output=100)
    text = toolset.call("shout", "{}").text
    assert text.startswith("startxxx")
    assert text.endswith("xxxend")
    assert "\n[... 9,908 characters left out ...]\n" in text
    assert len(text) < 150
    assert len(toolset.call("fail", f'{{"how": "{"y" * 1000}"}}').text) < 150
    assert clip("short", 5) == "short"


def test_a_tool_that_cannot_be_one_is_refused() -> None:
    made = registry()

    def add() -> None:
        """Again."""

    def finish() -> None:
        """The loop's own."""

    def lonely() -> None:
        """Nobody's."""

    for function in (add, finish):
        with pytest.raises(ValueError, match="registered twice"):
            made.tool("planner")(function)
    with pytest.raises(ValueError, match="names no agent"):
        made.tool()(lonely)


def test_the_module_has_a_registry_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools._REGISTRY, "_tools", {})

    @tools.tool("planner")
    def wait() -> str:
        """Wait."""
        return "waited"

    assert tools.build_toolset("planner").call("wait", "{}").text == wait() == "waited"
