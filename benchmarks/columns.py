"""What networks make of the inputs of a library: the same ones with and without, on prompts that nobody has seen.

::

    python -m benchmarks.columns --kinds cycle,bursts,lead-lag --first 900 --worlds 3

Each world is a simulated market with a planted truth (``research.worlds``), for which a recipe of the grammar is taken
that says it as well as one can, as a research would have kept it. What is compared, in pairs and by the interval of
every verdict: networks trained as ever, on as few windows as those with inputs have, and with inputs; ``har``, ``har``
that knows the inputs, and mixes in equal parts. All networks of a row are of one kind, trained on the same seeds, and
answer as one. A world whose line is in the file already is not computed again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import torch

from synthcity.durations import HOUR
from synthcity.forecast.baselines import baseline
from synthcity.forecast.evaluation.backtest import backtest, backtest_prompts
from synthcity.forecast.evaluation.compare import lead, mean_score
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.mixing import Mix
from synthcity.forecast.named import Named
from synthcity.forecast.quantise import Quantised
from synthcity.market.dataset import Dataset, build_dataset
from synthcity.market.periods import Periods
from synthcity.market.windows import WindowSpec
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.training import Trainer
from synthcity.research.control.recipes import Cycle, Follows, Marks, Recipe
from synthcity.research.informed.columns import with_inputs
from synthcity.research.informed.forecaster import Informed
from synthcity.research.informed.kept import Kept
from synthcity.research.informed.learning import learn
from synthcity.research.labbook import Origin
from synthcity.research.worlds import truths
from synthcity.research.worlds.world import draw_world
from synthcity.search.candidates.presets import hand_written
from synthcity.sn50.competitions import get_competition, get_rules

ASSETS = ("BTC", "ETH", "SOL")
PERIODS = Periods.parse(
    {
        "train": ["2025-02-10", "2025-05-15"],
        "validation": ["2025-05-15", "2025-06-05"],
        "test": ["2025-06-05", "2025-07-19"],
    }
)
EVERY = 17 * HOUR
PATHS = 250
LEADS = (
    ("inputs", "plain"),
    ("inputs", "thin"),
    ("inputs", "har-inputs"),
    ("inputs + har-inputs", "plain + har-inputs"),
    ("inputs + har-inputs", "har-inputs"),
    ("har-inputs", "har"),
    ("plain", "har"),
)


@dataclass(frozen=True, kw_only=True)
class Training:
    """Which networks are trained, how long and how often; ``num_rungs`` as in a search."""

    preset: str
    steps: int
    copies: int
    num_rungs: int = 4

    def fitted(self, dataset: Dataset, inputs: Informed | None = None) -> Forecaster:
        """Return the networks as one, each as it was best on validation."""
        ((_, config),) = hand_written([self.preset])
        found = []
        for seed in range(self.copies):
            trainer = Trainer(
                dict(config), dataset, seed=seed, num_rungs=self.num_rungs, max_steps=self.steps, device="cpu"
            )
            while not trainer.advance()["done"]:
                pass
            found.append(NetForecaster.from_state(trainer.state(), inputs))
        return together(*found)


def together(*members: Forecaster) -> Forecaster:
    """Return a mix in equal parts."""
    return Mix(members, [1 / len(members)] * len(members))


def knowing(truth: truths.Truth) -> Recipe:
    """Return the recipe that says most of a planted truth.

    Raises:
        ValueError: no search has what it reads.
    """
    match truth:
        case truths.Cycle():
            return Cycle(hours=float(truth.hours), harmonics=1)
        case truths.Bursts():
            return Marks(minutes=truth.minutes, hours=(), weekdays=truth.weekdays)
        case truths.LeadLag():
            return Follows(leader=truth.leader, hours=float(truth.hours), span=1.0)
    raise ValueError(f"a {truth.kind} is no truth that a search could be told of")


def compared(kind: str, seed: int, training: Training) -> dict[str, object]:
    """Return what came of one world: mean scores, and leads in percent with their intervals."""
    rules = get_rules()
    competition = get_competition("crypto-24h", rules)
    world = draw_world(seed, ASSETS, "2025-01-01", 200, kind=kind)
    kept = Kept.of(kind, Origin(recipe=knowing(world.oracle.truth).to_dict()))
    inputs, notes = learn([kept], world.market, ASSETS, competition, PERIODS.train)
    if inputs is None:
        raise ValueError(f"nothing was learned of world {seed}: {'; '.join(notes)}")
    plain = build_dataset(
        world.market.until(PERIODS.validation.end),
        competition=competition.name,
        rules=rules.date,
        spec=WindowSpec.of(competition.time_increment, competition.num_points - 1),
        assets=ASSETS,
        train=(PERIODS.train.start, PERIODS.train.end),
        validation=(PERIODS.validation.start, PERIODS.validation.end),
        validation_every=EVERY,
        coefficients={asset: rules.coefficient(asset) for asset in ASSETS},
    )
    told = with_inputs(plain, inputs, world.market)
    networks = {
        "plain": training.fitted(plain),
        "thin": training.fitted(replace(plain, train=told.train)),
        "inputs": training.fitted(told, inputs),
    }
    everyone = {
        **networks,
        "har": baseline("har"),
        "har-inputs": inputs,
        "plain + har-inputs": together(networks["plain"], inputs),
        "inputs + har-inputs": together(networks["inputs"], inputs),
    }
    prompts = backtest_prompts(
        competition, ASSETS, PERIODS.test.start, PERIODS.test.end, EVERY, num_simulations=PATHS, rules=rules
    )
    named = [Named(Quantised(one), name) for name, one in everyone.items()]
    scores = backtest(named, world.market, prompts, competition, rules=rules).scores
    leads = {f"{a} against {b}": lead(scores, a, b) for a, b in LEADS}
    return {
        "kind": kind,
        "seed": seed,
        "preset": training.preset,
        "steps": training.steps,
        "copies": training.copies,
        "truth": {name: value for name, value in world.truth.items() if np.isscalar(value)},
        "prompts": int(scores.groupby("forecaster").size().iloc[0]),
        "scores": mean_score(scores, rules).to_dict(),
        "leads": {name: [one.mean, one.low, one.high] for name, one in leads.items()},
    }


def told(row: dict[str, object]) -> str:
    """Return a world's lines."""
    leads = row["leads"]
    assert isinstance(leads, dict)
    lines = [f"world {row['seed']}, {row['kind']}, {row['preset']} of {row['steps']} steps, {row['prompts']} prompts:"]
    lines += [f"  {name}: {mean:+.3f} % ({low:.2f} to {high:.2f})" for name, (mean, low, high) in leads.items()]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default="cycle,bursts,lead-lag")
    parser.add_argument("--first", type=int, default=900, metavar="SEED")
    parser.add_argument("--worlds", type=int, default=3, help="of each kind")
    parser.add_argument("--preset", default="summary_flow")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--copies", type=int, default=2, help="networks that answer as one")
    parser.add_argument("--output", type=Path, default=Path("runs/columns.jsonl"))
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    training = Training(preset=given.preset, steps=given.steps, copies=given.copies)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    lines = given.output.read_text(encoding="utf-8").splitlines() if given.output.exists() else []
    done = {(one["kind"], one["seed"], one["preset"], one["steps"], one["copies"]) for one in map(json.loads, lines)}
    for seed in range(given.first, given.first + given.worlds):
        for kind in given.kinds.split(","):
            if (kind, seed, given.preset, given.steps, given.copies) not in done:
                row = compared(kind, seed, training)
                with given.output.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
                click.echo(told(row))


if __name__ == "__main__":
    main()
