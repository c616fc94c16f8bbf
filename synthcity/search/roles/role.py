"""What a role is, and letting it work: prompt, tools, loop, and the program's own word beside the model's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthcity.agents.client import LLMClient
from synthcity.agents.loop import AgentResult, LoopConfig, run_agent
from synthcity.agents.prompts import render
from synthcity.agents.tools import Toolset, build_toolset
from synthcity.errors import RunError
from synthcity.files import atomic_write
from synthcity.search.roles.context import RoleContext

CHAT = "chat.json"
# What a model gave to ``finish``. Any, since the role's schema, against which it was checked, alone knows its fields.
Finished = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Role:
    """One kind of agent.

    Attributes:
        name: as its tools are registered for.
        prompt: which prompt it works by: its name, and its name in the version that is recorded.
        message: what it is to do where the user says nothing.
        values: the text of each place of the prompt.
        finish: JSON Schema of what it gives to ``finish``.
        measured: what the program itself says of that, line by line; the model never overrules it.
        fragments: of its prompt, where that is not packaged: names of packaged fragments, and texts; see
            ``agents.prompts``.
        toolset: its tools, where they know something else than the context; they may write to the folder of the work.
    """

    name: str
    prompt: str
    message: str
    values: Callable[[RoleContext], Mapping[str, str]]
    finish: Callable[[RoleContext], Mapping[str, object]]
    measured: Callable[[RoleContext, Finished], list[str]]
    toolset: Callable[[RoleContext, Path], Toolset] | None = None
    fragments: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an agent did, and beside it what the program measured."""

    agent: AgentResult
    measured: tuple[str, ...]


def work(
    role: Role,
    context: RoleContext,
    client: LLMClient,
    folder: Path,
    message: str = "",
    config: LoopConfig | None = None,
) -> Outcome:
    """Let a role work alone, and write its chat to ``folder``.

    Args:
        role: who works.
        context: what its tools know.
        client: whom to ask.
        folder: gets ``chat.json``, however the work ends.
        message: what to do; the role's own by default.
        config: bounds of the work.

    Raises:
        RunError: the chat cannot be written.
        ConfigError, DataError: what it is to work on is wrong.
    """
    prompt = render(role.prompt, role.values(context), role.fragments)
    agent = run_agent(
        client,
        build_toolset(role.name, context) if role.toolset is None else role.toolset(context, folder),
        system=prompt.text,
        task=message or role.message,
        account=role.name,
        purpose=f"agent:{role.name}",
        finish=role.finish(context),
        config=config,
        prompt_version=prompt.version,
    )
    measured = () if agent.result is None else tuple(role.measured(context, agent.result))
    _write(folder / CHAT, role, prompt.version, agent, measured)
    return Outcome(agent=agent, measured=measured)


def _write(path: Path, role: Role, version: str, agent: AgentResult, measured: tuple[str, ...]) -> None:
    chat = {
        "agent": role.name,
        "prompt": version,
        "status": agent.status,
        "reason": agent.reason,
        "result": agent.result,
        "measured": measured,
        "turns": agent.turns,
        "spend": vars(agent.spend),
        "messages": agent.messages,
    }
    try:
        atomic_write(path, json.dumps(chat, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
