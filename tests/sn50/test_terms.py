"""Which numbers of an answer are judged, by hand-made rules small enough to count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.sn50.competitions import get_competition
from synthcity.sn50.crps import crps
from synthcity.sn50.scoring import score
from synthcity.sn50.terms import gather, max_terms, terms

NAMES = ("crypto-24h", "crypto-1h")


def answer(name: str, num_paths: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    points = get_competition(name).num_points
    steps = np.random.default_rng(seed).normal(0, 1e-3, (num_paths + 1, points))
    prices = 100 * np.exp(np.cumsum(steps, axis=1))
    return prices[1:], prices[0]


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_was_seen_whole_has_all_terms(name: str) -> None:
    found = terms(*answer(name), name)
    assert len(found.observed) == max_terms(get_competition(name))
    assert found.ensemble.shape == (len(found.observed), 12)
    assert found.weights.shape == found.labels.shape == found.observed.shape


@pytest.mark.parametrize("name", NAMES)
def test_weighted_terms_add_up_to_the_score(name: str) -> None:
    paths, realised = answer(name)
    realised[5:40] = np.nan
    found = terms(paths, realised, name)
    total = float(found.weights @ crps(found.ensemble, found.observed))
    assert total == pytest.approx(float(score(paths, realised, name).total), rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_a_change_is_relative_in_basis_points_on_every_kth_point(name: str) -> None:
    paths, realised = answer(name)
    found, competition = terms(paths, realised, name), get_competition(name)
    for interval in (i for i in competition.intervals if i.kind != "price"):
        step = interval.seconds // competition.time_increment
        sampled = realised[::step][: 2 if interval.kind == "first_change" else None]
        wanted = 1e4 * (sampled[1:] - sampled[:-1]) / sampled[:-1]
        np.testing.assert_allclose(found.observed[found.labels == interval.name], wanted, atol=1e-8)


def test_a_price_is_judged_relative_to_the_last_one_that_was_seen() -> None:
    for name in NAMES:
        competition = get_competition(name)
        for interval in (i for i in competition.intervals if i.kind == "price"):
            paths, realised = answer(name)
            found = terms(paths, realised, name)
            step = interval.seconds // competition.time_increment
            wanted = 1e4 * realised[::step][1:] / realised[-1]
            np.testing.assert_allclose(found.observed[found.labels == interval.name], wanted)
            return
    pytest.fail("no competition judges prices")


def test_a_missing_price_takes_the_two_changes_beside_it() -> None:
    paths, realised = answer("crypto-24h")
    whole = terms(paths, realised, "crypto-24h")
    realised[30] = np.nan
    holed = terms(paths, realised, "crypto-24h")
    (first, *_) = get_competition("crypto-24h").intervals
    assert first.seconds == 300
    assert (whole.labels == first.name).sum() - (holed.labels == first.name).sum() == 2


def test_an_answer_of_which_nothing_was_seen_has_no_terms() -> None:
    paths, realised = answer("crypto-1h")
    found = terms(paths, np.full_like(realised, np.nan), "crypto-1h")
    assert found.ensemble.shape == (0, 12)
    assert len(found.labels) == 0


def test_a_volatility_block_with_fewer_than_two_changes_is_left_out() -> None:
    names = [n for n in NAMES if get_competition(n).volatility_blocks]
    assert names, "no competition judges volatility"
    competition = get_competition(names[0])
    block = competition.volatility_blocks[0]
    size = block.seconds // competition.time_increment
    paths, realised = answer(names[0])
    for num_seen, left in ((2, 0), (1, 1)):  # changes of the first block that were seen
        holed = realised.copy()
        holed[num_seen + 1 : size + 1] = np.nan
        whole, found = terms(paths, realised, competition), terms(paths, holed, competition)
        lost = (whole.labels == block.name).sum() - (found.labels == block.name).sum()
        # the price that closes the block opens the next one, which goes on with one change fewer
        assert lost == left


def test_what_was_realised_so_far_can_be_gathered() -> None:
    competition = get_competition("crypto-24h")
    paths, realised = answer("crypto-24h")
    buffer = np.empty((max_terms(competition), 12))
    found = gather(paths[:, :61], realised[:61], competition, buffer)
    assert 0 < len(found.observed) < max_terms(competition)
    stops = [group.part.stop for group in found.groups]
    assert [group.part.start for group in found.groups] == [0, *stops[:-1]]
    assert stops[-1] == len(found.rows)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("one path", r"paths must be \(..., N, 289\) for crypto-24h, not \(289,\)"),
        ("no path", r"paths must be \(..., N, 289\) for crypto-24h, not \(0, 289\)"),
        ("short", r"paths must be \(..., N, 289\) for crypto-24h, not \(12, 288\)"),
        ("batch", "terms takes one ensemble"),
        ("zero", "paths hold a price of exactly 0"),
        ("negative truth", "realised prices must be positive and finite"),
        ("infinite truth", "realised prices must be positive and finite"),
        ("one truth", r"realised must be \(..., 289\) for crypto-24h, not \(1,\)"),
        ("long truth", r"realised must be \(..., 289\) for crypto-24h, not \(290,\)"),
        ("other batch", "does not fit paths"),
    ],
)
def test_what_is_no_answer_is_refused_with_its_shape(change: str, sentence: str) -> None:
    paths, realised = answer("crypto-24h")
    changed = {
        "one path": lambda: (paths[0], realised),
        "no path": lambda: (paths[:0], realised),
        "short": lambda: (paths[:, 1:], realised),
        "batch": lambda: (np.stack([paths, paths]), realised),
        "zero": lambda: (np.where(paths == paths[3, 7], 0.0, paths), realised),
        "negative truth": lambda: (paths, -realised),
        "infinite truth": lambda: (paths, np.where(realised == realised[3], np.inf, realised)),
        "one truth": lambda: (paths, realised[:1]),
        "long truth": lambda: (paths, np.append(realised, 100.0)),
        "other batch": lambda: (np.stack([paths, paths]), np.stack([realised] * 3)),
    }[change]()
    with pytest.raises(ValueError, match=sentence):
        terms(*changed, "crypto-24h")


def test_a_block_weighs_what_the_rules_say() -> None:
    name = next(n for n in NAMES if get_competition(n).volatility_blocks)
    competition = get_competition(name)
    block = competition.volatility_blocks[0]
    heavier = replace(competition, volatility_blocks=(replace(block, weight=7.0),))
    found = terms(*answer(name), heavier)
    assert set(found.weights[found.labels == block.name]) == {7.0}
    assert set(found.weights[found.labels != block.name]) == {1.0}
