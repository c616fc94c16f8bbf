"""Networks as points: what every network has by itself, options of a place together, absent ones at their defaults."""

from __future__ import annotations

import numpy as np
import pytest

from synthcity.search.candidates.space import Space, canonical
from synthcity.search.proposers.surrogates.coordinates import Coordinates, joined, squared
from tests.search.builders import config

SPACE = Space.from_registry(2)
PLACE = Coordinates(SPACE)


def apart(first: dict[str, object], second: dict[str, object]) -> np.ndarray:
    points = [PLACE([SPACE.flatten(canonical(one))]) for one in (first, second)]
    return squared(*points)[:, 0, 0]


def test_one_parameter_moves_one_coordinate() -> None:
    found = apart(config(), config(training={"weight_decay": 0.5}))
    assert np.count_nonzero(found) == 1
    assert 0.0 < found.max() < 1.0


def test_a_choice_of_numbers_has_an_order_and_names_have_none() -> None:
    near, far = (apart(config(training={"batch_size": 24}), config(training={"batch_size": n})) for n in (48, 96))
    assert 0.0 < near.max() < far.max() == 1.0
    tcn, gru = (apart(config(), config(blocks=[{"name": name}])) for name in ("tcn", "gru"))
    assert tcn.max() == pytest.approx(1.0) == gru.max()


def test_a_block_more_moves_depth_and_name_of_its_place() -> None:
    found = apart(config(), config(blocks=[{"name": "lstm"}, {"name": "tcn"}]))
    assert np.count_nonzero(found) == 2


def test_options_count_where_the_block_is_and_their_defaults_elsewhere() -> None:
    changed = {"name": "tcn", "levels": 5}
    found = apart(config(blocks=[{"name": "tcn"}]), config(blocks=[changed]))
    assert np.count_nonzero(found) == 1
    assert found.max() < 1.0
    assert np.count_nonzero(apart(config(), config(blocks=[changed]))) == 2  # the name, and the option off its default


def test_distances_of_all_networks_are_euclidean() -> None:
    """So that a kernel of them is positive definite: centred, they are the Gram matrix of points."""
    rng = np.random.default_rng(0)
    points = PLACE([SPACE.flatten(SPACE.sample(rng)) for _ in range(40)])
    centre = np.eye(40) - 1 / 40
    for each in squared(points, points):
        assert np.linalg.eigvalsh(-0.5 * centre @ each @ centre).min() > -1e-9


def test_joined_holds_the_networks_of_both_in_their_order() -> None:
    one, two = PLACE([SPACE.flatten(config())]), PLACE([SPACE.flatten(config(d_model=64))] * 2)
    assert [len(each) for each in joined(one, two)] == [3] * len(one)
    assert not squared(joined(one, two), two)[:, 1:].any()


def test_a_recipe_counts_where_it_was_set() -> None:
    assert np.count_nonzero(apart(config(), config(training={"tilt": 0.5}))) == 1
