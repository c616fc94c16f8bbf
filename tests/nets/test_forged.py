"""Bundles of networks with fitting hashes and one odd thing each are refused in a sentence, or draw prices."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from synthcity.forecast.bundles import bundle as bundles
from synthcity.forecast.bundles.verified import CONFIG, WEIGHTS
from synthcity.market.bars import History
from synthcity.market.dataset import Dataset
from synthcity.nets.config import NetConfig
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.network import Network
from synthcity.sn50.prompt import Prompt
from tests.forecast.forge import mutants, outcome, sign, signed
from tests.nets.conftest import dataset
from tests.nets.test_forecaster import NOW, past

__all__ = ["dataset"]
PROMPTS = [Prompt(asset=asset, start_time=NOW, num_simulations=8) for asset in ("BTC", "ETH")]


@pytest.fixture(scope="module")
def history() -> History:
    return past()


@pytest.fixture
def bundle(dataset: Dataset, tmp_path: Path) -> Path:
    config = NetConfig.from_dict({"d_model": 16, "history": 24, "blocks": [{"name": "gru"}], "head": {"name": "gbm"}})
    network = Network(config, dataset.spec, len(dataset.assets))
    NetForecaster(network, dataset.spec, dataset.assets, {"seed": 0}).save(tmp_path / "b")
    sign(tmp_path / "b")
    return tmp_path / "b"


def test_one_that_an_earlier_version_saved_draws_what_it_drew_then(history: History) -> None:
    forecaster = bundles.load(Path(__file__).parent / "bundle_of_format_1")
    assert forecaster.name == "old"
    paths = forecaster.simulate_many(history, PROMPTS, seed=1)
    np.testing.assert_allclose([one[0, -1] for one in paths], [90.42555296193972, 104.15632186961957], rtol=1e-6)


def test_every_odd_value_in_a_config(bundle: Path, history: History) -> None:
    assert outcome(bundle, history, PROMPTS) == "drawn"
    found: Counter[str] = Counter()
    for what, mutant in mutants(json.loads((bundle / CONFIG).read_text())):
        signed(bundle, mutant)
        try:
            found[outcome(bundle, history, PROMPTS)] += 1
        except Exception as error:
            raise AssertionError(what) from error
    assert found["refused"] > 300


def test_weights_that_draw_nothing(bundle: Path, history: History) -> None:
    plain = load((bundle / WEIGHTS).read_bytes())
    found: Counter[str] = Counter()
    for name, value in plain.items():
        for odd in (
            *(np.full_like(value, number) for number in (np.nan, np.inf, 3e38, -3e38, 1e30, 1e10, -1e5, 0.0)),
            value.astype(np.float64),
            value.astype(np.int32),
            value.astype(np.float16),
            value[..., :0],
            np.concatenate([value, value]),
            value.ravel(),
        ):
            (bundle / WEIGHTS).write_bytes(save({**plain, name: np.ascontiguousarray(odd)}))
            sign(bundle)
            try:
                found[outcome(bundle, history, PROMPTS)] += 1
            except Exception as error:
                raise AssertionError(f"{name}: {odd.dtype} {odd.shape} {odd.ravel()[:1]}") from error
    assert found["refused"] > 60


def test_weights_that_are_none(bundle: Path, history: History) -> None:
    whole = (bundle / WEIGHTS).read_bytes()
    header = len(whole).to_bytes(8, "little")
    odd = [b"", b"\0" * 8, b"\xff" * 64, whole[:100], whole[:-1], whole + b"x", header + whole[8:], save({})]
    for content in odd:
        (bundle / WEIGHTS).write_bytes(content)
        sign(bundle)
        assert outcome(bundle, history, PROMPTS) == "refused"
