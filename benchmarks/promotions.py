"""How often does the loop call an equal better in a hundred rounds, and how large a lead does it find?

::

    python -m benchmarks.promotions              # a minute on one core

In each round a new forecaster, equally good as the champion, is held against it on fresh blocks of days at the level of
its look (``pipeline.spending``), with the interval that a run is judged by. Laws are those of ``benchmarks.coverage``.
That a promotion also takes the race of settled scores is left out: the loop's own verdict has to do alone.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.coverage import LAWS, Law
from synthcity.forecast.evaluation.interval import ratio_interval
from synthcity.pipeline.spending import confidence, level

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


def main() -> None:
    """Print a row a law, then the power."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
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
