"""Networks that were chosen are trained once more, on validation too, and only once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthcity.errors import RunError
from synthcity.market.dataset import Dataset
from synthcity.search.finals.refit import _read, with_validation
from tests.nets.conftest import START, dataset

DAY = 86400
__all__ = ["dataset"]


def test_training_windows_reach_to_the_end_of_validation_and_no_further(dataset: Dataset) -> None:
    wide = with_validation(dataset, START + 7 * DAY, START + 24 * DAY)
    for asset, starts in wide.train.items():
        assert set(dataset.train[asset]) < set(starts)
        end = dataset.tables[asset].time[starts] + dataset.spec.horizon * dataset.spec.increment
        assert end.max() == START + 24 * DAY
        np.testing.assert_array_equal(wide.validation[asset], dataset.validation[asset])


def test_a_lost_state_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="delete the run folder and search again"):
        _read("c0000", tmp_path / "gone.safetensors", ())
