"""Learning is proven: every head comes near the truth of a process that is known. Minutes; run with ``-m slow``."""

import pytest

from benchmarks.learning import World, learning_table, network_score, truth_score
from synthcity.nets import registry
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.training import Trainer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world() -> World:
    return World.build(days=600, held_out=120)


@pytest.mark.parametrize("head", list(registry.heads()))
def test_head_learns_the_law_of_a_known_process(head: str, world: World):
    (row,) = learning_table(world, [head])
    # what there is to learn: without it the bounds below would say little
    assert row.constant > 1.03 * row.oracle
    assert row.early < row.constant
    assert 0.997 < row.ratio < 1.01


def test_nothing_is_known_before_training(world: World):
    config = {"d_model": 16, "history": 48, "patch": 1, "blocks": []}
    state = Trainer(config, world.dataset, seed=0, num_rungs=1, max_steps=1, device="cpu").state()
    assert network_score(world, NetForecaster.from_state(state)) > 1.01 * truth_score(world, "oracle")
