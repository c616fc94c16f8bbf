"""Random search: the floor."""

from __future__ import annotations

import numpy as np

from synthcity.search.candidates.space import Space, canonical
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers import RandomProposer
from tests.search.builders import candidate, history, tell

SPACE = Space.from_registry()


def draws(count: int, known: TrialHistory, seed: int) -> list[dict[str, object]]:
    return [dict(p.config) for p in RandomProposer(SPACE).propose(count, known, np.random.default_rng(seed))]


def test_every_block_and_head_and_number_of_blocks_is_drawn() -> None:
    configs = draws(600, TrialHistory(), 0)
    assert {config["head"]["name"] for config in configs} == set(SPACE.heads)
    assert {block["name"] for config in configs for block in config["blocks"]} == set(SPACE.blocks)
    assert {len(config["blocks"]) for config in configs} == set(range(SPACE.max_blocks + 1))


def test_rates_are_drawn_evenly_in_their_logarithm() -> None:
    (rate,) = (p for p in SPACE.shared if p.name == "training.learning_rate")
    values = np.log([config["training"]["learning_rate"] for config in draws(800, TrialHistory(), 1)])
    share = (values - np.log(rate.low)) / (np.log(rate.high) - np.log(rate.low))
    assert 0 <= share.min() < 0.02
    assert 0.98 < share.max() <= 1
    np.testing.assert_allclose(np.quantile(share, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.06)


def test_chance_alone_decides_and_what_is_drawn_is_valid() -> None:
    known = history(tell(candidate(0), 5000.0))
    assert draws(4, TrialHistory(), 2) == draws(4, known, 2) != draws(4, known, 3)
    for config in draws(20, known, 4):
        canonical(config)
