"""How often does the loop call an equal better in a hundred rounds, and how large a lead does it find?

::

    python -m benchmarks.promotions              # a minute on one core
    python -m benchmarks.promotions refits       # how often refits come through that are equal, better or harmful

In each round a new forecaster, equally good as the champion, is held against it on fresh blocks of days at the level of
its look (``pipeline.spending``), with the interval that a run is judged by. Laws are those of ``benchmarks.coverage``.
That a promotion also takes the race of settled scores is left out: the loop's own verdict has to do alone.

A refit has that race alone, by its own rule (``challenge.REFIT``). Its blocks differ from its parent's as little as in
the walk-forward of ``benchmarks.refit``.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from benchmarks.coverage import LAWS, Law
from synthcity.forecast.evaluation.interval import ratio_interval
from synthcity.pipeline.spending import confidence, level
from synthcity.serve.settlement.challenge import REFIT, ChallengeConfig

ROUNDS, BLOCKS = 100, 9  # 9: what the fewest days that a verdict takes hold


def promoted(law: Law, histories: int, rng: np.random.Generator, *, spend: bool = True, rounds: int = ROUNDS) -> float:
    """Return the share of histories in which any of so many rounds of equals ends in a promotion.

    Args:
        law: of the blocks.
        histories: how many loops.
        rng: draws them.
        spend: hold each look to its own level; else each to 2.5 %, as a single run's verdict is.
        rounds: of each loop.
    """
    is_clean = np.ones(histories, dtype=bool)
    for look in range(1, rounds + 1):
        sure = confidence(level(look)) if spend else 0.95
        _, high = ratio_interval(*law.draw(histories, BLOCKS, rng), confidence=sure)
        is_clean &= high >= 1
    return float(1 - is_clean.mean())


def found(law: Law, lead: float, look: int, histories: int, rng: np.random.Generator, blocks: int = BLOCKS) -> float:
    """Return how often a forecaster that is better by the fraction ``lead`` passes at this look."""
    _, high = ratio_interval(*law.draw(histories, blocks, rng, lead), confidence=confidence(level(look)))
    return float((high < 1).mean())


SPREADS = (0.0008, 0.0016)
"""Of a block of two days: what the intervals of a monthly and a weekly refit over 92 days come to."""


def came_through(
    law: Law, lead: float, histories: int, rng: np.random.Generator, config: ChallengeConfig = REFIT
) -> float:
    """Return the share of races of settled scores that end in a promotion.

    Args:
        law: of the blocks.
        lead: fraction by which the challenger is better; a negative one is a harmful refit.
        histories: how many races.
        rng: draws them.
        config: the rule.
    """
    challenger, champion = law.draw(histories, config.looks[-1], rng, lead)
    is_open, is_promoted = np.ones(histories, dtype=bool), np.zeros(histories, dtype=bool)
    for look in config.looks:
        low, high = ratio_interval(challenger[:, :look], champion[:, :look], confidence=config.confidence)
        is_enough = is_open & (100 * (high - 1) < config.margin)
        is_promoted |= is_enough
        is_open &= ~is_enough & (100 * (low - 1) <= config.margin)
    return float(is_promoted.mean())


def _refits(histories: int, rng: np.random.Generator) -> None:
    margin = REFIT.margin / 100
    print(f"refits that come through, {histories} races; of those worse by the margin at most 5 % are wanted")
    leads = (-2 * margin, -margin, -margin / 2, 0.0, margin / 2, margin)
    print(f"{'better by':<38}" + "".join(f"{lead:>9.2%}" for lead in leads))
    for spread in SPREADS:
        for name, law in LAWS.items():
            shares = [came_through(replace(law, spread=spread), lead, histories, rng) for lead in leads]
            print(f"{name:<28}{spread:>10.2%}" + "".join(f"{share:9.1%}" for share in shares), flush=True)


def main() -> None:
    """Print a row a law, then the power."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["rounds", "refits"], default="rounds")
    parser.add_argument("--histories", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    if options.what == "refits":
        _refits(options.histories, rng)
        return
    print(f"any promotion in {ROUNDS} rounds of equals, {options.histories} histories; at most 5 % is wanted")
    for name, law in LAWS.items():
        spent, single = (promoted(law, options.histories, rng, spend=spend) for spend in (True, False))
        print(f"{name:<28} {spent:7.2%}   each look at 2.5 %: {single:7.2%}", flush=True)
    print("\nleads that are found (normal blocks, standard deviation of a block's difference 1 %)")
    for look in (1, 2, 5, 10, 30):
        row = "  ".join(
            f"{lead:.1%}: {found(Law(), lead, look, options.histories, rng, 30):6.1%}" for lead in (0.005, 0.01, 0.02)
        )
        print(f"look {look:>3}, 30 blocks   {row}", flush=True)


if __name__ == "__main__":
    main()
