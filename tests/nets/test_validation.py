"""Candidates are compared on the same windows with the same random numbers, whoever they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from synthcity.market.dataset import Dataset
from synthcity.nets.config import NetConfig
from synthcity.nets.network import Network
from synthcity.nets.training import Trainer
from synthcity.nets.validation import Validation, WindowScores
from synthcity.sn50.competitions import get_competition, get_rules

CONFIG = {"d_model": 16, "history": 24, "patch": 3, "blocks": []}


def network(dataset: Dataset, seed: int = 0, head: str = "gbm") -> Network:
    torch.manual_seed(seed)
    config = NetConfig.from_dict({**CONFIG, "head": {"name": head}})
    return Network(config, dataset.spec, len(dataset.assets)).eval()


def scored(dataset: Dataset, net: Network, seed: int = 0) -> WindowScores:
    competition = get_competition(dataset.competition, get_rules(dataset.rules))
    return Validation(dataset, competition, torch.device("cpu"), seed=seed).score(net)


def test_a_trials_seed_is_no_part_of_its_score(dataset: Dataset) -> None:
    """Each trial once drew validation paths from its own seed, which moved scores as much as candidates differ."""
    one, other = (Trainer(CONFIG, dataset, seed=seed, num_rungs=1, max_steps=1) for seed in (1, 2))
    other.network.load_state_dict(one.network.state_dict())
    other._fit.average = one._fit.average
    assert one.validate() == other.validate()


def test_assets_do_not_share_their_noise(dataset: Dataset) -> None:
    same = replace(
        dataset,
        tables=dict.fromkeys(dataset.assets, dataset.tables["BTC"]),
        validation=dict.fromkeys(dataset.assets, dataset.validation["BTC"]),
    )
    net = network(same)
    net.asset.weight.data.zero_()
    found = scored(same, net).by_asset
    assert found["BTC"] != found["ETH"]
    assert found["BTC"] == pytest.approx(found["ETH"], rel=0.02)


def test_blocks_add_up_to_the_score_and_are_the_same_for_all(dataset: Dataset) -> None:
    first, second = scored(dataset, network(dataset)), scored(dataset, network(dataset, seed=1))
    assert [weight for _, weight in first.blocks] == [weight for _, weight in second.blocks]
    weights = [dataset.coefficients[asset] * len(dataset.validation[asset]) for asset in dataset.assets]
    assert first.score == pytest.approx(np.average(list(first.by_asset.values()), weights=weights))


def test_parts_of_the_score_add_up_to_it_and_hours_to_its_mean(dataset: Dataset) -> None:
    found = scored(dataset, network(dataset))
    competition = get_competition(dataset.competition, get_rules(dataset.rules))
    assert list(found.by_interval) == [horizon.name for horizon in competition.horizons]
    assert sum(found.by_interval.values()) == pytest.approx(found.score, rel=1e-5)
    assert all(value > 0 for value in found.by_interval.values())
    assert set(found.by_hour) <= {"00", "06", "12", "18"}
    assert min(found.by_hour.values()) <= found.score <= max(found.by_hour.values())


@pytest.mark.parametrize("head", ["gbm", "mixture"])
def test_common_noise_leaves_less_in_a_difference_than_noise_of_ones_own(dataset: Dataset, head: str) -> None:
    net, near = network(dataset, head=head), network(dataset, head=head)
    with torch.no_grad():
        near.head.decoder.out.bias[0] += 0.02  # of every step's volatility
    at = np.array([[scored(dataset, each, seed).score for each in (net, near)] for seed in range(8)])
    paired = (at[:, 0] - at[:, 1]).std()
    alone = np.hypot(at[:, 0].std(), at[:, 1].std())
    assert paired < 0.3 * alone
