"""Every packaged candidate is valid and trains a step."""

from importlib import resources

import pytest
import yaml

from synthcity.market.dataset import Dataset
from synthcity.nets.config import NetConfig
from synthcity.nets.training import Trainer

FILES = sorted(
    (
        entry
        for entry in resources.files("synthcity.nets").joinpath("candidates").iterdir()
        if entry.name[-5:] == ".yaml"
    ),
    key=lambda entry: entry.name,
)


def test_every_head_and_block_has_a_candidate():
    from synthcity.nets.registry import blocks, heads

    configs = [NetConfig.from_dict(yaml.safe_load(file.read_text())) for file in FILES]
    assert {part.name for config in configs for part, _ in config.block_parts} == set(blocks())
    assert {config.head_part[0].name for config in configs} == set(heads())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_candidate_passes_the_gate(file, dataset: Dataset):
    assert Trainer.check(yaml.safe_load(file.read_text()), dataset)["parameters"] > 0
