"""``synthcity sweep``: known-good networks side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from synthcity.cli.handpicked import names, run, run_options
from synthcity.cli.table import print_table
from synthcity.errors import ConfigError


@click.command("sweep")
@click.option("--presets", "wanted", metavar="A,B,...", help="Which; all by default.")
@click.option("--list", "list_only", is_flag=True, help="List the presets and do nothing else.")
@run_options
def command(
    wanted: str | None, list_only: bool, config: Path | None, settings: tuple[str, ...], **options: Any
) -> None:
    """Train named, known-good networks side by side; the best is judged as by a search.

    The prices are those of the sweep file CONFIG, without one those of a simulated market. All networks are trained to
    the end and compared on validation; the best of them and of their mix goes into the verdict.

    --set takes any key of a sweep file (data.assets, search.workers, search.rungs).

    \b
    What there is:
      synthcity sweep --list
    Two of them on the simulated market:
      synthcity sweep --presets summary_gbm,lstm_gbm
    All of them on real prices, one hour ahead:
      synthcity sweep configs/sweep-1h.yaml
    """
    from synthcity.search.candidates.notation import sketch
    from synthcity.search.candidates.presets import presets

    if list_only:
        rows = [[preset.name, sketch(preset.config), preset.doc] for preset in presets().values()]
        print_table(["preset", "architecture", "what it is"], rows)
        return
    chosen = list(presets()) if wanted is None else list(dict.fromkeys(names(wanted)))
    if not chosen:
        raise ConfigError("--presets names no preset; `synthcity sweep --list` shows what there is")
    run(config, chosen, settings, stem="sweep", is_named=wanted is not None, **options)
