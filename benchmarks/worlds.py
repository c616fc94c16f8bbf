"""Who finds what is planted: researches of sealed worlds, told in one table.

::

    python -m benchmarks.worlds --worlds 12 --rounds 5           # the control
    python -m benchmarks.worlds --worlds 12 --rounds 20 --model  # and the language model that is set (docs/agents.md)

A world is found where something is kept that recovers half of what an input that knew the truth gains on the confirming
fold; in a world of nothing, whatever is kept is false. A run folder that is there already is read and not made again;
one that was cut off is put aside, and its world begun anew.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from synthcity.agents.client import LLMClient
from synthcity.documents import write_setting
from synthcity.research.config import ResearchConfig, load_config
from synthcity.research.folder import RESULT
from synthcity.research.run import research
from synthcity.settings import Settings

_FOUND = 0.5  # of the gap to the oracle


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one arm came to in one world; ``recovered`` is None where nothing was planted."""

    seed: int
    kind: str
    oracle: float | None
    arm: str
    tests: int
    claims: int
    kept: int
    recovered: float | None
    usd: float

    @property
    def found(self) -> bool:
        return self.recovered is not None and self.kept > 0 and self.recovered >= _FOUND


def outcomes(seed: int, folder: Path) -> list[Outcome]:
    """Read what came of a world."""
    data = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    return [
        Outcome(
            seed=seed,
            kind=data["world"]["kind"],
            oracle=None if data["oracle"] is None else data["oracle"][0],
            arm=arm["arm"],
            tests=arm["tests"],
            claims=len(arm["claims"]),
            kept=sum(claim["kept"] for claim in arm["claims"]),
            recovered=arm["recovered"],
            usd=arm["usd"],
        )
        for arm in data["arms"]
    ]


def run_world(seed: int, folder: Path, settings: Iterable[str], *, with_model: bool) -> list[Outcome]:
    """Research one world, unless that was done."""
    if not (folder / RESULT).exists():
        _put_aside(folder)
        own = [f"prices.world.seed={seed}", write_setting("library", str(folder / "library"))]
        config = load_config(None, [*settings, *own])
        if with_model:
            with LLMClient(Settings.load(), config.llm, folder=folder) as client:
                research(config, folder, client=client)
        else:
            research(config, folder)
    return outcomes(seed, folder)


def _put_aside(folder: Path) -> None:
    """Rename a research that was cut off, with what it has cost."""
    if folder.exists():
        number = 1
        while (aside := folder.with_name(f"{folder.name}-cut-off-{number}")).exists():
            number += 1
        folder.rename(aside)


def told(all_of: Sequence[Outcome]) -> list[str]:
    """Return a line a world and arm, and what they come to by arm."""
    lines = ["world  planted   oracle  arm      tests  claims  kept  recovered"]
    for one in all_of:
        oracle = "      -" if one.oracle is None else f"{one.oracle:+7.3f}"
        share = "-" if one.recovered is None else f"{one.recovered:.0%}"
        lines.append(
            f"{one.seed:5d}  {one.kind:9s} {oracle}  {one.arm:8s} {one.tests:5d}  {one.claims:6d}  {one.kept:4d}  "
            f"{share:>9s}"
        )
    by_arm: dict[str, list[Outcome]] = defaultdict(list)
    for one in all_of:
        by_arm[one.arm].append(one)
    for arm, own in by_arm.items():
        planted = [one for one in own if one.kind != "none"]
        nothing = [one for one in own if one.kind == "none"]
        claims, kept = sum(one.claims for one in own), sum(one.kept for one in own)
        lines.append(
            f"{arm}: found {sum(one.found for one in planted)} of {len(planted)}; kept something in "
            f"{sum(one.kept > 0 for one in nothing)} of {len(nothing)} worlds of nothing; {kept} of {claims} claims "
            f"replicated; {sum(one.usd for one in own):.2f} USD"
        )
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=6, help="how many")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="of the first world; the others follow it")
    parser.add_argument("--rounds", type=int, default=ResearchConfig().rounds)
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--model", action="store_true", help="let the language model that is set take part")
    parser.add_argument("--output", type=Path, default=Path("runs/worlds"))
    given = parser.parse_args(arguments)
    found: list[Outcome] = []
    for seed in range(given.first, given.first + given.worlds):
        settings = [*given.settings, f"rounds={given.rounds}"]
        found += run_world(seed, given.output / f"world-{seed}", settings, with_model=given.model)
        click.echo(told(found)[len(found)])
    for line in told(found):
        click.echo(line)


if __name__ == "__main__":
    main()
