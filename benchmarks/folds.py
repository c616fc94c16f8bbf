"""Would finals on days of their own choose better, or claim less, than finals on the days of the search?

Run ``python -m benchmarks.folds --searches 120``. First the searches of ``benchmarks.selection`` over few blocks of
validation, with one more kind of noise: a network's luck with the days, which all of its trainings share and fresh
prompts of the same days do not undo. Told are how often a planted network is chosen, how often any that the search
found, the gain that is told of those (``finals.ranking``) and the one that they have, both over what the search began
with, and the effect of whatever is chosen. Then mixes of four networks, by what ``finals.blend`` and ``finals.choice``
tell of their gain over the network that looks best, and by what a third of the days tells that no weight was fitted on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.selection import BLOCK_DAYS, BLOCKS, LEVEL, SPREAD, TODAY, Blocks, Noise, searched
from synthcity.durations import DAY
from synthcity.forecast.evaluation.evidence import Floats, paired
from synthcity.forecast.weights import PairTerms, fitted_weights, mean_terms
from synthcity.search.finals.blend import gains
from synthcity.search.finals.ranking import both
from synthcity.search.finals.scoring import PairRow

LUCK = Noise(days=0.028)  # of crypto-24h: what equal seeds and common draws leave of a pair's spread over blocks
FEW = (30, 15, 6)  # crypto-24h, quickstart, crypto-1h
MEMBERS = 4
_OWN = 0.0375  # percent over ``BLOCKS``: luck with the days and of training together


def thirds(blocks: int) -> Blocks:
    """Every third block."""
    return np.asarray(np.arange(blocks) % 3 == 2)


def last(blocks: int) -> Blocks:
    """The last third."""
    return np.asarray(np.arange(blocks) >= blocks - blocks // 3)


WAYS: dict[str, Callable[[int], Blocks] | None] = {
    "the same days": None,
    "every third block apart": thirds,
    "the last third apart": last,
}
WORLDS = {"one 0.10 % better": (0.10, 0.0), "all equal": (0.0, 0.0), "0.05 % apart": (0.0, 0.05)}  # planted, spread


def print_networks(searches: int) -> None:
    """Print a row a world and way."""
    print("| blocks | networks | finals | planted chosen | found chosen | told | true | mean error | effect |")
    print("|---|---|---|---|---|---|---|---|---|")
    for blocks in FEW:
        for world, (planted, spread) in WORLDS.items():
            for way, apart in WAYS.items():
                rule = replace(TODAY, noise=replace(LUCK, spread=spread), apart=apart)
                every = [searched(rule, planted, seed, blocks) for seed in range(searches)]
                left = [one for one in every if one.left]
                told, true = np.array([(one.told, one.true) for one in left] or [(0.0, 0.0)]).T
                found = sum(one.found for one in every) if planted else ""
                error, effect = np.sqrt(((told - true) ** 2).mean()), np.mean([one.effect for one in every])
                claims = f"{told.mean():+.3f} | {true.mean():+.3f} | {error:.3f}"
                print(f"| {blocks} | {world} | {way} | {found} | {len(left)} | {claims} | {effect:+.4f} |", flush=True)


@dataclass(frozen=True, kw_only=True)
class Mixed:
    """What is told of a mix, and what it truly gains, in percent; minus is better."""

    told: float
    true: float


def mixed(blocks: int, diverse: float, spread: float, seed: int, apart: Blocks | None) -> Mixed:
    """Fit one mix of networks that differ by ``spread`` percent; two equal ones gain ``diverse`` percent as a mix."""
    rng = np.random.default_rng(seed)
    effect_k = spread * rng.standard_normal(MEMBERS)
    level_b = LEVEL * np.exp(SPREAD * rng.standard_normal(blocks))
    luck = _OWN * np.sqrt(BLOCKS) * rng.standard_normal((MEMBERS, blocks))
    scores_kb = level_b * (1 + (effect_k[:, None] + luck) / 100)
    distances = LEVEL * (0.6 + 0.04 * diverse * (1 - np.eye(MEMBERS)))
    own = 0.3 * LEVEL  # half the distance of a member to itself
    rows = [
        PairRow(asset="BTC", start=BLOCK_DAYS * DAY * b, terms=PairTerms(scores_kb[:, b] + own, distances), weight=1.0)
        for b in range(blocks)
    ]
    seen = rows if apart is None else [row for row, hidden in zip(rows, apart, strict=True) if not hidden]
    judged = rows if apart is None else [row for row, hidden in zip(rows, apart, strict=True) if hidden]
    weights = fitted_weights(mean_terms([(row.terms, row.weight) for row in seen]))
    best = int(scores_kb.mean(axis=1).argmin())
    mix_b: Floats = np.array([row.terms.score(weights) for row in judged])
    single_b: Floats = np.array([row.terms.to_realised[best] - own for row in judged])
    [told] = paired(mix_b[None], single_b, np.ones(len(judged)))
    if apart is None:
        told = both(told, gains(rows, [str(k) for k in range(MEMBERS)], BLOCK_DAYS)[str(best)])
    law = PairTerms(LEVEL * (1 + effect_k / 100) + own, distances).score(weights)
    return Mixed(told=told.mean, true=100 * (law - LEVEL * (1 + effect_k[best] / 100)) / LEVEL)


def print_mixes(searches: int) -> None:
    """Print a row a world and way."""
    print("\n| blocks | mixing gains | networks | judged on | mix chosen | told less true | gained |")
    print("|---|---|---|---|---|---|---|")
    for blocks in FEW:
        for diverse in (0.0, 0.03, 0.08):
            for spread in (0.0, 0.05):
                for way, apart in WAYS.items():
                    hidden = None if apart is None else apart(blocks)
                    every = [mixed(blocks, diverse, spread, seed, hidden) for seed in range(searches)]
                    chosen = [one for one in every if one.told < 0]
                    bias = np.mean([one.told - one.true for one in chosen]) if chosen else 0.0
                    gained = sum(one.true for one in chosen) / searches
                    networks = f"{spread:.2f} % apart" if spread else "equal"
                    row = f"| {blocks} | {diverse:.2f} % | {networks} | {way} | {len(chosen)} |"
                    print(f"{row} {bias:+.3f} | {gained:+.4f} |", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--searches", type=int, default=20)
    options = parser.parse_args()
    print_networks(options.searches)
    print_mixes(options.searches)


if __name__ == "__main__":
    main()
