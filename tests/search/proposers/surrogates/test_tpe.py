"""TPE draws nearer to what was good."""

from __future__ import annotations

import numpy as np

from synthcity.search.candidates.space import Space, canonical
from synthcity.search.proposers import RandomProposer, TPEProposer
from tests.search.builders import candidate, history, tell

SPACE = Space.from_registry()


def test_tpe_learns_where_the_good_ones_are() -> None:
    """After forty trials that favour one learning rate, TPE draws nearer to it than chance does."""
    rng = np.random.default_rng(3)
    target = np.log(4e-3)
    events = []
    for index in range(40):
        rate = float(np.exp(rng.uniform(np.log(2.5e-4), np.log(7.5e-3))))
        events.append(tell(candidate(index, rate=rate), 5000.0 + 100.0 * abs(np.log(rate) - target)))
    known = history(*events)

    def distance(proposer: RandomProposer | TPEProposer) -> float:
        rates = [
            proposer.propose(1, known, np.random.default_rng(seed))[0].config["training"]["learning_rate"]
            for seed in range(20)
        ]
        return float(np.median(np.abs(np.log(rates) - target)))

    assert distance(TPEProposer(SPACE)) < 0.7 * distance(RandomProposer(SPACE))


def test_tpe_stays_away_from_what_fails() -> None:
    events = []
    for index in range(40):
        head = ("gbm", "sde")[index % 2]
        one = candidate(index)
        chosen = canonical({**one.config, "head": {"name": head}})
        one = type(one)(index=index, source="random", config=chosen, hash=f"{index}")
        events.append(tell(one, 5000.0 + index, status="failed" if head == "sde" else "completed"))
    known = history(*events)
    heads = [
        TPEProposer(SPACE).propose(1, known, np.random.default_rng(seed))[0].config["head"]["name"]
        for seed in range(20)
    ]
    assert heads.count("sde") < 5


def test_tpe_is_told_of_candidates_outside_the_space_by_silence() -> None:
    narrow = Space.from_registry(max_blocks=1)
    wide = canonical({"blocks": [{"name": "lstm"}, {"name": "lstm"}]})
    outside = type(candidate(0))(index=0, source="defaults", config=wide, hash="x")
    known = history(tell(outside, 5000.0))
    assert len(TPEProposer(narrow).propose(1, known, np.random.default_rng(0))) == 1


def test_the_same_history_and_chance_give_the_same_proposals() -> None:
    known = history(*(tell(candidate(n), 5000.0 + n) for n in range(12)))
    first, again, other = (TPEProposer(SPACE).propose(2, known, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert [p.config for p in first] == [p.config for p in again]
    assert first[0].config != first[1].config
    assert first[0].config != other[0].config
