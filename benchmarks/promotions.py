"""How often does the loop call an equal better in a hundred rounds, and how large a lead does it find?

::

    python -m benchmarks.promotions              # some minutes on one core
    python -m benchmarks.promotions refits       # how often refits come through that are equal, better or harmful

In each round a new forecaster, equally good as the champion, is held against it on fresh blocks of days at the level of
its look (``pipeline.spending``), with the interval that a run is judged by. Laws are those of ``benchmarks.coverage``.
Without a miner the loop's own verdict has to do alone. With one whatever passes races on blocks that come after, and so
does what leads at ``spending.TRIAL``, by the stricter rule.

A refit has that race alone, by its own rule (``challenge.REFIT``). Its blocks differ from its parent's as little as in
the walk-forward of ``benchmarks.refit``.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage import LAWS, Law
from synthcity.forecast.evaluation.interval import ratio_interval
from synthcity.pipeline.spending import TRIAL as TRIAL_LEVEL
from synthcity.pipeline.spending import confidence, level
from synthcity.serve.settlement.challenge import REFIT, TRIAL, ChallengeConfig

ROUNDS, BLOCKS = 100, 9  # 9: what the fewest days that a verdict takes hold


Bools = NDArray[np.bool_]


def promoted(
    law: Law,
    histories: int,
    rng: np.random.Generator,
    *,
    spend: bool = True,
    rounds: int = ROUNDS,
    miner: bool = False,
) -> float:
    """Return the share of histories in which any of so many rounds of equals ends in a promotion.

    Args:
        law: of the blocks.
        histories: how many loops.
        rng: draws them.
        spend: hold each look to its own level; else each to 2.5 %, as a single run's verdict is.
        rounds: of each loop.
        miner: settled scores decide, and what does not pass may race on trial.
    """
    is_clean = np.ones(histories, dtype=bool)
    for look in range(1, rounds + 1):
        passed, tried = passes(law, 0.0, level(look) if spend else 0.025, histories, rng)
        is_clean &= ~(_raced(law, 0.0, passed, tried, rng) if miner else passed)
    return float(1 - is_clean.mean())


def passes(
    law: Law, lead: float, look_level: float, histories: int, rng: np.random.Generator, blocks: int = BLOCKS
) -> tuple[Bools, Bools]:
    """Return who passes a look at this level, and who may race on trial instead, (histories,) each."""
    blocks_drawn = law.draw(histories, blocks, rng, lead)
    passed: Bools = ratio_interval(*blocks_drawn, confidence=confidence(look_level))[1] < 1
    tried: Bools = ratio_interval(*blocks_drawn, confidence=confidence(TRIAL_LEVEL))[1] < 1
    return passed, tried & ~passed


def found(law: Law, lead: float, look: int, histories: int, rng: np.random.Generator, blocks: int = BLOCKS) -> float:
    """Return how often a forecaster that is better by the fraction ``lead`` passes at this look."""
    return float(passes(law, lead, level(look), histories, rng, blocks)[0].mean())


def crowned(law: Law, lead: float, look: int, histories: int, rng: np.random.Generator, blocks: int = BLOCKS) -> float:
    """Return how often it is promoted by settled scores, having passed or on trial."""
    passed, tried = passes(law, lead, level(look), histories, rng, blocks)
    return float(_raced(law, lead, passed, tried, rng).mean())


def _raced(law: Law, lead: float, passed: Bools, tried: Bools, rng: np.random.Generator) -> Bools:
    """Return who of both wins the race that is theirs."""
    won = np.zeros(passed.shape, dtype=bool)
    for racing, config in ((passed, ChallengeConfig()), (tried, TRIAL)):
        won[racing] = won_races(law, lead, int(racing.sum()), rng, config)
    return won


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
    return float(won_races(law, lead, histories, rng, config).mean())


def won_races(law: Law, lead: float, histories: int, rng: np.random.Generator, config: ChallengeConfig) -> Bools:
    """Return which races end in a promotion, (histories,)."""
    challenger, champion = law.draw(histories, config.looks[-1], rng, lead)
    is_open, is_promoted = np.ones(histories, dtype=bool), np.zeros(histories, dtype=bool)
    for look in config.looks:
        low, high = ratio_interval(challenger[:, :look], champion[:, :look], confidence=config.confidence)
        is_enough = is_open & (100 * (high - 1) < config.margin)
        is_promoted |= is_enough
        is_open &= ~is_enough & (100 * (low - 1) <= config.margin)
    return is_promoted


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
        raced = promoted(law, options.histories, rng, miner=True)
        print(f"{name:<28} {spent:7.2%}   with a miner: {raced:7.2%}   each look at 2.5 %: {single:7.2%}", flush=True)
    print("\nleads that are claimed / promoted by a miner (normal blocks, a block's difference has a deviation of 1 %)")
    for blocks in (10, 30):
        for look in (1, 2, 5, 10, 30):
            drawn = (options.histories, rng, blocks)
            row = "  ".join(
                f"{lead:.1%}: {found(Law(), lead, look, *drawn):6.1%} / {crowned(Law(), lead, look, *drawn):6.1%}"
                for lead in (0.005, 0.01, 0.02)
            )
            print(f"look {look:>3}, {blocks} blocks   {row}", flush=True)


if __name__ == "__main__":
    main()
