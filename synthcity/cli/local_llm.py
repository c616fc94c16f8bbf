"""``synthcity local-llm``: a small real language model on this machine."""

from __future__ import annotations

import contextlib
import signal
import sys
from pathlib import Path

import click

from synthcity.cli.options import LocalPath


@click.command("local-llm")
@click.option("--port", type=click.IntRange(0, 65535), default=18111, show_default=True, help="0 takes a free one.")
@click.option("--model", type=LocalPath(path_type=Path), help="A GGUF file; by default the packaged Gemma 3 270M.")
@click.option(
    "--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="More than idle cores is slower."
)
@click.option("--context", type=click.IntRange(512), default=16_384, show_default=True, help="Tokens at most.")
@click.option("--until-eof", is_flag=True, help="End when standard input does, for whoever starts this.")
def command(port: int, model: Path | None, threads: int, context: int, until_eof: bool) -> None:
    """Serve a language model on this machine until Ctrl-C: no key, no network, no money.

    Its address is printed once it answers; set SYNTHCITY_LLM_BASE_URL to it. The packaged model is far too small to
    propose anything clever; it shows that everything works with a real one.

    \b
    Try it:
      synthcity local-llm --port 18111
    """
    from synthcity.agents.local import serve

    url, _server = serve(model, port=port, threads=threads, context=context)
    click.echo(url)
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        if until_eof:
            sys.stdin.read()
        else:
            signal.pause()
