"""Tools: plain functions that an agent may call, registered by a decorator and bounded on their way back.

A tool is a function with type hints and a docstring; both become what the model is told. Its first parameter may be
``context``: whatever the caller of :func:`build_toolset` passes, never seen by the model. What a tool raises is told
to the model as text; only ``Fatal`` gets through.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from synthcity.agents.asking.answers import errors_of, parse_arguments, plain_name
from synthcity.agents.signature import describe
from synthcity.errors import ConfigError, Fatal, unknown_name

F = TypeVar("F", bound=Callable[..., object])
MAX_OUTPUT = 8_000  # characters of one result


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A function with what a model must know of it, and the agents that may call it."""

    name: str
    description: str
    parameters: Mapping[str, object]
    function: Callable[..., object]
    takes_context: bool = False
    agents: frozenset[str] = frozenset()

    @property
    def definition(self) -> dict[str, object]:
        """What a chat completion takes in its ``tools``."""
        function = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}


@dataclass(frozen=True)
class ToolResult:
    """What a call said, cut to a bearable length; ``ok`` is false where it is an error."""

    text: str
    ok: bool


class Toolset:
    """The tools of one agent, ready to be called with whatever a model writes."""

    def __init__(self, tools: Mapping[str, Tool], context: object = None, max_output: int = MAX_OUTPUT) -> None:
        self._tools, self._context, self._max_output = dict(tools), context, max_output

    @property
    def names(self) -> list[str]:
        return list(self._tools)

    @property
    def definitions(self) -> list[dict[str, object]]:
        """What a chat completion takes as its ``tools``."""
        return [tool.definition for tool in self._tools.values()]

    def call(self, name: str, arguments: str) -> ToolResult:
        """Call a tool with the JSON text that a model wrote.

        Raises:
            Fatal: the tool says that nothing can go on.
        """
        tool = self._tools.get(name) or self._tools.get(plain_name(name))
        if tool is None:
            return self._error(unknown_name("tool", name[:80], self._tools))
        try:
            values = parse_arguments(arguments)
        except ValueError as error:
            return self._error(f"the arguments of {name} are no JSON: {error}")
        problems = errors_of({} if values is None else values, tool.parameters)
        if problems:
            return self._error(f"{name} cannot be called so: {'; '.join(problems)}")
        context = {"context": self._context} if tool.takes_context else {}
        try:
            said = tool.function(**context, **(values or {}))
        except Fatal:
            raise
        except Exception as error:  # noqa: BLE001 - a tool may fail in any way; the model is told and goes on
            return self._error(f"{type(error).__name__}: {error}")
        return ToolResult(clip(_text(said), self._max_output), True)

    def _error(self, text: str) -> ToolResult:
        return ToolResult(clip(f"error: {text}", self._max_output), False)


class ToolRegistry:
    """Tools by name; the module's own one is behind :func:`tool` and :func:`build_toolset`."""

    def __init__(self) -> None:
        self._tools: dict[str, Tool] = {}

    def tool(self, *agents: str) -> Callable[[F], F]:
        """Register a function as a tool of these agents, under its own name.

        Raises:
            ValueError: the name is taken, or hints and docstring do not say enough for a model.
        """

        def add(function: F) -> F:
            name = function.__name__
            if name in self._tools or name == "finish":
                raise ValueError(f"the tool {name!r} is registered twice")
            if not agents:
                raise ValueError(f"the tool {name!r} names no agent that may call it")
            takes_context = next(iter(inspect.signature(function).parameters), "") == "context"
            description, parameters = describe(function, skip="context" if takes_context else "")
            self._tools[name] = Tool(
                name=name,
                description=description,
                parameters=parameters,
                function=function,
                takes_context=takes_context,
                agents=frozenset(agents),
            )
            return function

        return add

    def build_toolset(self, agent_name: str, context: object = None, *, max_output: int = MAX_OUTPUT) -> Toolset:
        """Return the tools that an agent may call.

        Args:
            agent_name: as tools were registered for.
            context: passed to the tools that take one.
            max_output: characters of one result.

        Raises:
            ConfigError: no tool is registered for an agent of this name.
        """
        tools = {name: tool for name, tool in self._tools.items() if agent_name in tool.agents}
        if not tools:
            known = {agent for tool in self._tools.values() for agent in tool.agents}
            raise ConfigError(unknown_name("agent", agent_name, known))
        return Toolset(tools, context, max_output)


_REGISTRY = ToolRegistry()
tool = _REGISTRY.tool
build_toolset = _REGISTRY.build_toolset


def clip(text: str, limit: int) -> str:
    """Cut the middle out of a text that is longer than ``limit`` characters, and say so."""
    if len(text) <= limit:
        return text
    note = f"\n[... {len(text) - limit:,} characters left out ...]\n"
    head = 2 * limit // 3
    return text[:head] + note + text[len(text) - (limit - head) :]


def _text(said: object) -> str:
    return said if isinstance(said, str) else json.dumps(said, default=str)
