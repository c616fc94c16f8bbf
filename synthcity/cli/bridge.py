"""``synthcity bridge``: what this project does, over HTTP and MCP for agents and people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from synthcity.cli.group import Group
from synthcity.cli.options import LocalPath, Output

STATE = "bridge"
_EXTRA = ("mcp", "starlette", "uvicorn")


def place_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the folders that a bridge works on."""
    for option in (
        click.option("--vault", default="", metavar="ADDRESS", help="The vault; by default that of HIPPIUS_BUCKET."),
        click.option("--miner", type=LocalPath(path_type=Path, file_okay=False), help="State folder of a miner."),
        click.option("--data", type=LocalPath(path_type=Path, file_okay=False), help="Price store."),
        click.option("--configs", type=LocalPath(path_type=Path), default="configs", show_default=True, help="Sweeps."),
        click.option(
            "--pipelines",
            type=LocalPath(path_type=Path),
            default="pipelines",
            show_default=True,
            metavar="FOLDER",
            help="Your pipelines.",
        ),
        click.option("--runs", type=LocalPath(path_type=Path), default="runs", show_default=True, help="Your runs."),
        click.option(
            "--state",
            type=Output(is_folder=True),
            default=STATE,
            show_default=True,
            metavar="FOLDER",
            help="Key, jobs, and the runs of other bots.",
        ),
    ):
        command = option(command)
    return command


def check_extra() -> None:
    """Say what is missing before it is imported.

    Raises:
        ConfigError: the extra ``bridge`` is not installed.
    """
    from synthcity.extras import need

    need("the bridge", "bridge", *_EXTRA)


@click.group("bridge", cls=Group, invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8377, show_default=True, help="0: a free one.")
@click.option("--allow-host", "allowed", multiple=True, metavar="NAME", help="Another name it is called by.")
@place_options
@click.pass_context
def command(
    ctx: click.Context,
    host: str,
    port: int,
    allowed: tuple[str, ...],
    state: Path,
    runs: Path,
    pipelines: Path,
    configs: Path,
    data: Path | None,
    miner: Path | None,
    vault: str,
) -> None:
    """Serve runs, searches, prices and the miner's board over HTTP and MCP, until Ctrl-C.

    \b
    Examples:
      synthcity bridge
      synthcity bridge --data data/store --miner state
      synthcity bridge skill ~/.openclaw/workspace/skills
    """
    if ctx.invoked_subcommand is not None:
        return
    check_extra()
    from synthcity.bridge.key import KEY, bridge_key
    from synthcity.bridge.place import Place
    from synthcity.bridge.server import is_loopback, serve
    from synthcity.errors import ConfigError
    from synthcity.settings import Settings

    settings = Settings.load()
    if not is_loopback(host) and not settings.bridge_api_key:
        raise ConfigError(f"--host {host} is reached from elsewhere: set BRIDGE_API_KEY, or listen at 127.0.0.1")
    place = Place(state=state, runs=runs, pipelines=pipelines, configs=configs, data=data, miner=miner, vault=vault)
    key = bridge_key(state, settings)
    where = "BRIDGE_API_KEY" if settings.bridge_api_key else str(state / KEY)
    click.echo(f"the key of all that writes: {where}")
    serve(place, key, host=host, port=port, allowed=allowed, tell=click.echo)


@command.command("skill")
@click.argument("folder", type=Output(is_folder=True))
def skill(folder: Path) -> None:
    """Write the skill `synthcity` for agents into FOLDER, with the entry that hosts of MCP take.

    \b
    Example:
      synthcity bridge skill ~/.openclaw/workspace/skills
    """
    from synthcity.bridge.skill import write_skill

    click.echo(write_skill(folder))
