"""``synthcity quick``: an experiment that needs no decision."""

from __future__ import annotations

import click

from synthcity.cli.handpicked import BLOCKS, EPOCHS, NAME, RESUME, SEED, SETTINGS, names, run
from synthcity.cli.training import watched

_FEW = ("data.assets=[BTC,ETH]", "data.validation_every=23h", "data.test_every=37h", "search.rungs=2")


@click.command("quick")
@BLOCKS
@click.option("--head", metavar="HEAD", help="What makes paths of what they saw.  [default: gbm]")
@EPOCHS
@SEED
@SETTINGS
@NAME
@RESUME
@watched
def command(
    blocks: str,
    head: str | None,
    seed: int | None,
    settings: tuple[str, ...],
    name: str | None,
    resume: bool,
    plain: bool,
    dashboard: bool,
) -> None:
    """Train and judge a small network on the simulated market, in a minute or two: no data, no keys, no network.

    It is `synthcity experiment` with the preset lstm_gbm and few steps: a first look at training, scoring and verdict,
    and at whether the installation works. --blocks or --head put another network in its place, --set any key of a sweep
    file.

    \b
    Examples:
      synthcity quick
      synthcity quick --blocks transformer --head sde
    """
    from synthcity.search.handpicked import compose

    own = blocks or head is not None
    network = compose(names(blocks), "gbm" if head is None else head, ())[0] if own else "lstm_gbm"
    run(
        None,
        [network],
        [*_FEW, *settings],
        stem="quick",
        steps=200,
        seed=seed,
        name=name,
        resume=resume,
        plain=plain,
        dashboard=dashboard,
    )
