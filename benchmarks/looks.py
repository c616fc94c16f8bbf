"""How often looks at a market of nothing are above the level that they tell, and how far what is planted stands above.

::

    python -m benchmarks.looks --worlds 40 --each 4

The tables are read as a model reads them. ``alike taken out``: the same for means by key, once the mean of each row
over all worlds of nothing is taken out of it, since what all of them show alike is what the baseline leaves of the
simulated market's season, and not chance.
"""

from __future__ import annotations

import argparse
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import click
import numpy as np

from synthcity.research.config import load_config
from synthcity.research.measuring import chance
from synthcity.research.measuring.residuals import Residuals
from synthcity.research.model import looks
from synthcity.research.setting import prepare
from synthcity.research.worlds.truths import TRUTHS
from synthcity.research.worlds.world import kind_of

KEYS = (["hour"], ["weekday"], ["month"], ["minute"], ["lead_hours"], ["weekday", "hour"], ["weekday", "minute"])
_LEVEL = re.compile(r"chance 95 %: ([\d.]+)")
SHOWN_BY = {
    "bursts": "residuals by weekday and minute: z",
    "cycle": "periods of 26 to 100 hours: height",
    "schedule": "{name}: z",
    "lead-lag": "lags behind {leader}: bump",
    "regime": "funding: largest z of a tenth",
}
"""By kind of world the column in which it is to be seen."""


def columns_of(text: str) -> dict[str, float]:
    """Return the largest value of each column that has a level, in units of it; rows that are marked do not count."""
    lines = [line.split("\t") for line in text.splitlines()]
    header = next(cells for cells in lines if "(chance" in "\t".join(cells))
    rows = [cells for cells in lines[lines.index(header) + 1 :] if len(cells) > 1 and not cells[-1][:1].isalpha()]
    found = {}
    for at, cell in enumerate(header):
        if level := _LEVEL.search(cell):
            values = [abs(float(cells[at])) for cells in rows if cells[at] != "-"]
            found[cell.split(" (chance")[0]] = max(values, default=0.0) / float(level[1])
    return found


def shown(desk: Any) -> Iterator[tuple[str, float]]:
    """Make all looks, and return for each column the largest value in units of its level."""
    asked = {f"residuals by {' and '.join(by)}": [looks.look_residuals(desk, by)] for by in KEYS}
    for low, high in ((1, 26), (26, 100)):
        asked[f"periods of {low} to {high} hours"] = [looks.look_periods(desk, low, high)]
    for leader in desk.known.assets:
        others = [asset for asset in desk.known.assets if asset != leader]
        asked[f"lags behind {leader}"] = [looks.look_lags(desk, asset, leader, list(range(8, 49))) for asset in others]
    asked |= {name: [looks.look_series(desk, name)] for name in desk.known.series}
    for look, texts in asked.items():
        for number, text in enumerate(texts):
            for column, value in columns_of(text).items():
                yield f"{look}{' (2)' if number else ''}: {column}", value


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=20, help="of nothing")
    parser.add_argument("--each", type=int, default=2, help="worlds of each kind that is planted")
    parser.add_argument("--first", type=int, default=2000, metavar="SEED", help="of the first world")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args(arguments)
    left = Counter({kind: given.worlds if kind == "none" else given.each for kind in TRUTHS})
    nothing: dict[str, list[float]] = defaultdict(list)
    planted: dict[str, list[float]] = defaultdict(list)
    blocks: dict[str, list[Any]] = defaultdict(list)
    for seed in itertools.count(given.first):
        if not +left:
            break
        kind = kind_of(seed)
        if not left[kind]:
            continue
        left[kind] -= 1
        config = load_config(None, ["every=17h", *given.settings, f"prices.world.seed={seed}"])
        setting, before = prepare(config), config.folds.confirm.start
        desk = SimpleNamespace(
            residuals=Residuals.of(setting.cases, before),
            known=setting.known.before(before),
            look=lambda what: None,
            asset=str,
            series=str,
        )
        found = dict(shown(desk))
        if kind == "none":
            for column, value in found.items():
                nothing[column].append(value)
            for by in KEYS:
                blocks[f"residuals by {' and '.join(by)}: z"].append(desk.residuals.blocks(by))
        elif setting.world is not None:
            column = SHOWN_BY[kind].format(**setting.world.truth)
            planted[kind].append(max(value for name, value in found.items() if name.replace(" (2)", "") == column))
    click.echo("worlds of nothing: share above the level, alike taken out, median of the largest in units of it")
    for column, values in nothing.items():
        alone = f"{_alike_taken_out(blocks[column]):.2f}" if column in blocks else "-"
        click.echo(f"{column:45s} {np.mean(np.array(values) > 1):.2f}  {alone:>4s}  {np.median(values):.2f}")
    click.echo("planted: share above the level, least and median of the largest in units of it")
    for kind, values in planted.items():
        above = np.mean(np.array(values) > 1)
        click.echo(f"{kind:10s} {SHOWN_BY[kind]:45s} {above:.2f}  {min(values):.2f}  {np.median(values):.2f}")


def _alike_taken_out(worlds: Sequence[tuple[Any, np.ndarray, np.ndarray]]) -> float:
    same = [one for one in worlds if list(one[0]) == list(worlds[0][0])]
    mean = sum(sums.sum(axis=1) for _, sums, _ in same) / sum(counts.sum(axis=1) for _, _, counts in same)
    above = 0
    for _, sums, counts in same:
        z, level = chance.by_flips(sums - mean[:, None] * counts, counts)
        above += int(np.nanmax(np.abs(z)) > level)
    return above / len(same)


if __name__ == "__main__":
    main()
