"""The measured costs that came with the package fit its blocks."""

import pytest
from torch import nn

from synthcity.errors import ConfigError
from synthcity.nets import registry
from synthcity.nets.costs import LENGTHS, WIDTH, Cost, Costs, packaged_costs, parse_costs

AGAIN = "run `python benchmarks/blocks.py`"


@pytest.mark.parametrize("name", sorted(registry.blocks()))
def test_every_packaged_block_was_measured(name: str):
    entry = registry.blocks()[name]
    assert entry.cost is not None, AGAIN
    assert set(entry.cost.milliseconds) == set(LENGTHS), AGAIN
    assert all(value > 0 for value in entry.cost.milliseconds.values()), AGAIN
    assert entry.cost.parameters == entry.num_parameters(WIDTH), f"the block has changed: {AGAIN}"


def test_the_file_names_its_machine_and_no_block_that_is_gone():
    costs = packaged_costs()
    assert costs.torch
    assert costs.cpu
    assert set(costs.blocks) <= set(registry.blocks()), AGAIN


def test_a_block_of_ones_own_has_no_cost():
    class Lstm(nn.Module):
        Config = registry.blocks()["lstm"].config

    assert registry.Component(name="lstm", kind="block", cls=Lstm, config=Lstm.Config).cost is None
    assert all(head.cost is None for head in registry.heads().values())


def test_writes_what_it_reads():
    costs = Costs(torch="2", cpu='a "fast" one', blocks={"b": Cost(parameters=3, milliseconds={48: 1.5, 288: 9.0})})
    assert parse_costs(costs.to_json()) == costs
    assert parse_costs(packaged_costs().to_json()) == packaged_costs()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"torch": "2", "cpu": "x", "blocks": {"lstm": {"parameters": 1}}}'])
def test_a_damaged_file_says_how_to_mend_it(text: str):
    with pytest.raises(ConfigError, match=r"costs.json is damaged .*benchmarks/blocks.py"):
        parse_costs(text)


def test_estimates_grow_as_the_measurement_did():
    linear = Cost(parameters=1, milliseconds={48: 10.0, 288: 60.0})
    square = Cost(parameters=1, milliseconds={48: 10.0, 288: 360.0})
    assert linear.step_seconds(seq=48, d_model=32, batch=64) == pytest.approx(0.010)
    assert linear.step_seconds(seq=96, d_model=32, batch=96) == pytest.approx(0.030)
    assert square.step_seconds(seq=96, d_model=32, batch=64) == pytest.approx(0.040)
    assert square.step_seconds(seq=24, d_model=32, batch=64) == pytest.approx(0.0025)
    assert linear.step_seconds(seq=48, d_model=64, batch=64) == pytest.approx(0.020)
    assert linear.step_seconds(seq=48, d_model=16, batch=64) == pytest.approx(0.0025)
