"""``synthcity client``: one action for each operation of a bridge."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synthcity.cli.bridge import STATE
from synthcity.cli.options import LocalPath
from synthcity.cli.table import print_table
from synthcity.errors import unknown_name

if TYPE_CHECKING:
    from synthcity.bridge.client import Client
    from synthcity.bridge.operation import Operation

_POLL_SECONDS = 1.0
_RUNNING = ("running", "stopping")


class Actions(click.Group):
    """Actions that are made of the registry."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from synthcity.bridge.registry import operations

        return sorted(_action(name) for name in operations())

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        from synthcity.bridge.registry import operations

        found = operations().get(name.replace("-", "_"))
        return None if found is None else _command(found)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            raise click.UsageError(unknown_name("action", args[0], self.list_commands(ctx)))
        return super().resolve_command(ctx, args)


@click.command("client", cls=Actions)
def command() -> None:
    """Ask a bridge: `synthcity client ACTION [--json] [--wait]`.

    The bridge is that of SYNTH_BRIDGE_URL, by default http://127.0.0.1:8377; the key that of BRIDGE_API_KEY, else that
    in the --state folder. Standard output holds the answer alone. Exit code 2 is a mistake of ours, 3 what is not
    there.

    \b
      synthcity client blocks
      synthcity client quick --wait
      synthcity client history --order recent --json
    """


def _action(name: str) -> str:
    return name.replace("_", "-")


def _command(operation: Operation[Any]) -> click.Command:
    """Make a command of an operation: an argument for what stands in its route, an option for the rest."""
    parameters: list[click.Parameter] = []
    for name, described in operation.input_schema.get("properties", {}).items():
        about = described.get("description", "")
        if name in operation.in_path:
            parameters.append(click.Argument([name]))
        else:
            parameters.append(click.Option([f"--{_action(name)}", name], metavar=_metavar(described), help=about))
    parameters.append(click.Option(["--json", "as_json"], is_flag=True, help="Print the answer as JSON."))
    if operation.long:
        parameters.append(click.Option(["--wait"], is_flag=True, help="Wait until the job is over."))
    parameters.append(
        click.Option(["--state"], type=LocalPath(path_type=Path), default=STATE, help="Where a bridge's key lies.")
    )

    def act(as_json: bool, state: Path, wait: bool = False, **given: str | None) -> None:
        _act(operation, {name: value for name, value in given.items() if value is not None}, as_json, state, wait)

    words = [_action(operation.name), *(name.upper() for name in operation.in_path)]
    shown = f"synthcity client {' '.join(words)} {'--wait' if operation.long else '--json'}"
    about = f"{operation.about}\n\n\b\nExample:\n  {shown}"
    return click.Command(words[0], params=parameters, callback=act, help=about, short_help=operation.about)


def _metavar(described: Mapping[str, Any]) -> str:
    kinds = [each.get("type", "") for each in described.get("anyOf", [described])]
    if "array" in kinds:
        return "A,B,..."
    if "enum" in described:
        return "|".join(map(str, described["enum"]))
    return "NUMBER" if {"integer", "number"} & set(kinds) else "true|false" if "boolean" in kinds else "TEXT"


def _act(operation: Operation[Any], given: dict[str, str], as_json: bool, state: Path, wait: bool) -> None:
    from synthcity.bridge.client import Client
    from synthcity.bridge.key import local_key
    from synthcity.settings import Settings

    settings = Settings.load()
    key = settings.bridge_api_key or local_key(state)
    read = operation.read(_values(operation, given), are_texts=False).model_dump(mode="json", exclude_unset=True)
    with Client(settings.bridge_url, key, settings.bot_id, timeout=settings.bridge_timeout) as client:
        answer = client.ask(operation, read)
        if wait:
            answer = _ended(client, answer)
    click.echo(json.dumps(answer, indent=1)) if as_json else _show(answer)
    if wait and answer.get("state") != "completed":
        sys.exit(answer.get("exit_code") or 1)


def _values(operation: Operation[Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Read what was typed: numbers, truths and lists by the operation's own schema."""
    found: dict[str, Any] = {}
    properties = operation.input_schema.get("properties", {})
    for name, text in given.items():
        kind = _metavar(properties[name])
        if kind == "A,B,...":
            found[name] = [word.strip() for word in text.split(",") if word.strip()]
        elif kind in ("NUMBER", "true|false"):
            try:
                found[name] = json.loads(text)
            except ValueError:
                found[name] = text
        else:
            found[name] = text
    return found


def _ended(client: Client, job: dict[str, Any]) -> dict[str, Any]:
    from synthcity.bridge.registry import operations

    while job["state"] in _RUNNING:
        time.sleep(_POLL_SECONDS)
        job = client.ask(operations()["job"], {"id": job["id"]})
    return job


def _show(answer: Mapping[str, Any]) -> None:
    """Print an answer for people: what is single as lines, lists of records as tables."""
    single = {name: value for name, value in answer.items() if not _is_table(value)}
    width = max((len(name) for name in single), default=0)
    for name, value in single.items():
        click.echo(f"{name.ljust(width)}  {_text(value)}".rstrip())
    for value in answer.values():
        if _is_table(value):
            names = list(value[0])
            print_table(names, [[_text(row.get(name)) for name in names] for row in value])


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _text(value: object) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)
