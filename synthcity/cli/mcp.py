"""``synthcity mcp``: the operations of the bridge as MCP tools over standard input and output."""

from __future__ import annotations

from pathlib import Path

import click

from synthcity.cli.bridge import check_extra, place_options


@click.command("mcp")
@place_options
def command(
    state: Path, runs: Path, pipelines: Path, configs: Path, data: Path | None, miner: Path | None, vault: str
) -> None:
    """Serve one agent over standard input and output, as hosts of MCP start it.

    \b
      synthcity mcp --runs runs
      {"mcpServers": {"synthcity": {"command": "synthcity", "args": ["mcp"]}}}
    """
    check_extra()
    import anyio

    from synthcity.bridge.mcp import serve_stdio
    from synthcity.bridge.place import Place
    from synthcity.settings import Settings

    place = Place(state=state, runs=runs, pipelines=pipelines, configs=configs, data=data, miner=miner, vault=vault)
    bot = Settings.load().bot_id
    anyio.run(lambda: serve_stdio(place, bot=bot))
