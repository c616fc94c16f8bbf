"""A network that was trained here on prices of a store, published, and pulled back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthcity.durations import DAY
from synthcity.forecast.bundles.bundle import load
from synthcity.market.bars import Bars
from synthcity.market.store import Store
from synthcity.nets.forecaster import NetForecaster
from synthcity.publish.publish import publish
from synthcity.publish.pull import pull
from synthcity.search.data import load_data
from synthcity.search.finals.refit import fit
from synthcity.settings import Settings
from tests.publish.conftest import REPO
from tests.publish.proven import BEGIN, config, finish_run

NET = {"blocks": [], "head": {"name": "gbm", "hidden": 16}, "d_model": 16, "training": {"learning_rate": 0.008}}
HISTORY, TEST = 40, 12  # days
SIGMA, BOUNCE = 2e-5, 4e-4  # of a minute: what stays of a change, and what the next minute takes back


def bouncing() -> Bars:
    """Prices that jump to and fro: an hour moves them no farther than a minute, as no baseline believes."""
    rng = np.random.default_rng(0)
    count = (HISTORY + TEST + 1) * 1440
    time = BEGIN - HISTORY * DAY + 60 * np.arange(count, dtype=np.int64)
    noise = rng.standard_normal((2, count))
    close = 90_000.0 * np.exp(np.cumsum(SIGMA * noise[0]) + BOUNCE * noise[1])
    open_ = np.concatenate([[90_000.0], close[:-1]])
    high, low = np.maximum(open_, close) * 1.00001, np.minimum(open_, close) * 0.99999
    return Bars(time, open_, high, low, close, np.ones(count), 60)


@pytest.mark.slow
def test_it_comes_back_to_the_bit(tmp_path: Path, settings: Settings) -> None:
    Store(tmp_path / "prices").append("BTC", "binance", 60, bouncing())
    periods = {
        "train": ["2025-09-25", "2025-10-05"],
        "validation": ["2025-10-05", "2025-10-10"],
        "test": ["2025-10-10", "2025-10-22"],
    }
    every = {"validation_every": "11h", "test_every": "13h"}
    told = {"source": "store", "path": str(tmp_path / "prices"), "assets": ["BTC"], "periods": periods, **every}
    sweep = config(tmp_path / "trained", data=told)
    data = load_data(sweep)
    state, _, _ = fit(NET, [], data.dataset, seed=0, steps=60)
    run = finish_run(tmp_path / "trained", sweep, data, NetForecaster.from_state(state), samples=3)

    done = publish(run, settings=settings)
    assert done.examined.proof is not None
    assert [lead.baseline for lead in done.publication.leads if (lead.high or 0.0) >= 0] == []
    theirs = load(pull(REPO, to=tmp_path / "theirs", settings=settings).folder)
    ours = load(run / "winner")
    for prompt in data.test_prompts()[:3]:
        history = data.market.as_of(prompt.start_time)
        found = [each.simulate(history, prompt, seed=7) for each in (theirs, ours)]
        assert np.array_equal(*found)
