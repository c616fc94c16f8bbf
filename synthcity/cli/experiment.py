"""``synthcity experiment``: train and judge one network that was put together by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from synthcity.cli.handpicked import BLOCKS, names, run, run_options


@click.command("experiment")
@BLOCKS
@click.option("--head", metavar="HEAD", help="What makes paths of what they saw; gbm by default.")
@run_options
def command(blocks: str, head: str | None, config: Path | None, settings: tuple[str, ...], **options: Any) -> None:
    """Train one network of your choice and judge it as a search judges its best.

    The prices are those of the sweep file CONFIG, without one those of a simulated market. The network is trained to
    the end, compared with the baselines on validation, trained once more on all prices before the test period, and
    held against the baselines there. Test periods wear out: whoever tries many networks should choose by their
    validation scores, in the first table, and believe a verdict only once.

    `synthcity components` lists blocks and heads; one of your own may be named module:Name. --set takes options of the
    network (d_model, history, patch, training.batch_size, head.hidden, block0.n_heads with blocks counted from 0) and
    any key of a sweep file (data.assets, search.rungs).

    \b
    Attention before memory, on the simulated market:
      synthcity experiment --blocks transformer,lstm --set block0.n_heads=2
    A stochastic volatility on real prices, one asset, few steps:
      synthcity experiment configs/sweep.yaml --blocks tcn --head sde \\
          --set data.assets=[BTC] --steps 500
    """
    from synthcity.search.handpicked import compose

    network, others = compose(names(blocks), head or "gbm", settings)
    is_named = bool(blocks) or head is not None or len(others) < len(settings)
    run(config, [network], others, stem="experiment", is_named=is_named, **options)
