"""``synthcity search``: from a sweep file to a proven winner."""

from __future__ import annotations

from pathlib import Path

import click

from synthcity.cli.options import LocalPath
from synthcity.cli.training import train, watched


@click.command("search")
@click.argument("config", type=LocalPath(path_type=Path))
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set any key of the sweep file.")
@click.option("--name", help="Name of the run folder; by default that of the sweep file, numbered.")
@click.option("--track", metavar="NAMES", help="Tell the run to wandb, trackio or both (wandb,trackio) as it goes on.")
@click.option("--resume", is_flag=True, help="Continue a run that was stopped or killed.")
@watched
def command(
    config: Path,
    settings: tuple[str, ...],
    name: str | None,
    track: str | None,
    resume: bool,
    plain: bool,
    dashboard: bool,
) -> None:
    """Propose, train and compare networks as the sweep file CONFIG says, and prove the best on unseen prices.

    \b
    Examples:
      synthcity search configs/quickstart.yaml
      synthcity search configs/sweep.yaml --set search.time_budget=2h \\
          --set data.assets=[BTC,ETH]
      synthcity search configs/sweep.yaml --resume
    """
    from synthcity.cluster.job import check_kept, settle, storage
    from synthcity.documents import write_setting
    from synthcity.search.config import load_config

    config = settle(config)
    if name is not None:
        settings = (*settings, write_setting("name", name))
    if track is not None:
        settings = (*settings, f"track=[{track}]")
    known = load_config(config, settings)  # a typo is told before torch and Ray are loaded
    if known.vault is None and (vault := storage()) is not None:
        settings = (*settings, write_setting("vault", vault))
        known = load_config(config, settings)
    check_kept(known.output, known.vault)
    train(config, known, plain=plain, dashboard=dashboard, resume=resume, settings=settings)
