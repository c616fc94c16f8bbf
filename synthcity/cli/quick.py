"""``synthcity quick``: an experiment that needs no decision."""

from __future__ import annotations

import click

from synthcity.cli.handpicked import NAME, RESUME, SEED, run

_FEW = ("data.assets=[BTC,ETH]", "data.validation_every=23h", "data.test_every=37h", "search.rungs=2")


@click.command("quick")
@SEED
@NAME
@RESUME
def command(seed: int | None, name: str | None, resume: bool) -> None:
    """Train and judge a small network on the simulated market, in a minute or two: no data, no keys, no network.

    It is `synthcity experiment` with the preset lstm_gbm and few steps: a first look at training, scoring and verdict,
    and at whether the installation works.

    \b
    Example:
      synthcity quick
    """
    run(None, ["lstm_gbm"], _FEW, stem="quick", steps=200, seed=seed, name=name, resume=resume)
