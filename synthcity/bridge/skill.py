"""The skill: what an agent is told of the bridge, in the form of OpenClaw's skills, made of the registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import synthcity
from synthcity.bridge.operation import Operation
from synthcity.bridge.registry import operations
from synthcity.errors import ConfigError
from synthcity.files import atomic_write

NAME = "synthcity"
_HEAD = """---
name: synthcity
description: Find, prove and serve forecasting models for Bittensor Subnet 50 through a local synthcity bridge.
version: {version}
user-invocable: true
metadata:
  openclaw:
    requires:
      bins: [curl]
      env: [SYNTH_BRIDGE_URL]
    primaryEnv: BRIDGE_API_KEY
    envVars:
      - name: SYNTH_BRIDGE_URL
        required: true
        description: Where the bridge is, such as http://127.0.0.1:8377
      - name: BRIDGE_API_KEY
        required: false
        description: Key of the bridge; only what writes needs it
      - name: SYNTH_BOT_ID
        required: false
        description: Whose jobs and runs; default without it
---

# synthcity

A bridge to a project that searches, trains and proves forecasting models. Every answer is JSON; an error is
`{{"error": "..."}}` and says what to do. Leads are percent of the other's score: minus is better. A model counts only
once its verdict is `proven`; do not call it better before.

What trains answers at once with a job. Ask for the job every half minute until its state is no longer `running`. Four
jobs run at a time. Where you repeat a start because its answer was lost, send the same `idempotency_key` again.

Where the host knows MCP, the entry in `{{baseDir}}/mcp.json` offers the same as typed tools.

## Look

{reads}

## Do

{writes}
"""
_CURL = 'curl -sS --fail-with-body --max-time 60 -H "X-Bot-Id: ${SYNTH_BOT_ID:-default}"'


def write_skill(folder: Path) -> Path:
    """Write ``synthcity/SKILL.md`` and the entry for MCP below ``folder``; return the folder of the skill.

    Raises:
        ConfigError: it cannot be written.
    """
    skill = folder / NAME
    entry = {"mcpServers": {NAME: {"command": "synthcity", "args": ["mcp"]}}}
    try:
        atomic_write(skill / "SKILL.md", skill_text())
        atomic_write(skill / "mcp.json", json.dumps(entry, indent=2) + "\n")
    except OSError as error:
        raise ConfigError(f"cannot write {str(skill)!r}: {error.strerror or error}") from error
    return skill


def skill_text() -> str:
    """Return SKILL.md."""
    known = operations().values()
    return _HEAD.format(
        version=synthcity.__version__,
        reads="\n\n".join(_section(one) for one in known if not one.writes),
        writes="\n\n".join(_section(one) for one in known if one.writes),
    )


def curl_line(operation: Operation[Any]) -> str:
    """Return the command that does an operation with the example values of what it needs."""
    properties = operation.input_schema.get("properties", {})
    given = {name: properties[name]["examples"][0] for name in operation.input_schema.get("required", [])}
    address = operation.address(**{name: str(given.pop(name)) for name in operation.in_path})
    line = _CURL
    if operation.writes:
        line += ' -H "X-API-Key: $BRIDGE_API_KEY"'
    if operation.method == "POST":
        line += f" -H 'Content-Type: application/json' -d '{json.dumps(given)}'"
    return f'{line} "$SYNTH_BRIDGE_URL{address}"'


def _section(operation: Operation[Any]) -> str:
    taken = [
        f"- `{name}`: {described['description']}"
        for name, described in operation.input_schema.get("properties", {}).items()
    ]
    where = "in the address" if operation.method == "GET" else "in the JSON body"
    takes = f"\n\nTakes, {where}:\n\n" + "\n".join(taken) if taken else ""
    return f"### {operation.name}\n\n{operation.about}\n\n```bash\n{curl_line(operation)}\n```{takes}"
