"""Every packaged candidate is valid and trains a step."""

from importlib import resources

import pytest
import yaml

from synthcity.market.dataset import Dataset
from synthcity.nets.training import Trainer

FILES = sorted(
    (
        entry
        for entry in resources.files("synthcity.nets").joinpath("candidates").iterdir()
        if entry.name[-5:] == ".yaml"
    ),
    key=lambda entry: entry.name,
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_candidate_passes_the_gate(file, dataset: Dataset):
    assert Trainer.check(yaml.safe_load(file.read_text()), dataset)["parameters"] > 0
