"""A roll-out that fails leaves what was there, and nobody notices."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from synthcity.errors import BundleError, Fatal
from synthcity.market.store import Store
from synthcity.private import environment
from synthcity.serve.answering.engine import EngineConfig
from synthcity.serve.build import ServeConfig
from synthcity.serve.deployment import ClusterConfig, serving
from tests.ports import free_ports
from tests.serve.dialogue import market


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Ray and what it imports
def test_replicas_that_do_not_start_and_bundles_that_do_not_load_cost_no_answer(tmp_path: Path):
    for (asset, resolution), bars in market(("BTC",), days=15, now=time.time()).items():
        Store(tmp_path / "store").append(asset, "test", resolution, bars)
    (port,) = free_ports(1)
    config = ServeConfig(model="fhs", store=str(tmp_path / "store"), state=str(tmp_path / "state"))
    statuses: list[int] = []
    ended = threading.Event()

    def ask() -> None:
        asked = {"asset": "BTC", "time_length": 3600, "time_increment": 60, "num_simulations": 20}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            while not ended.wait(0.3):
                statuses.append(client.post("/simulate", json=asked).status_code)

    path = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    with environment(path), serving(config, ClusterConfig(port=port)) as deployed:
        asker = threading.Thread(target=ask)
        asker.start()
        try:
            (tmp_path / "damaged").mkdir()
            with pytest.raises(BundleError):
                deployed.roll_out(replace(config, model=str(tmp_path / "damaged")))
            with pytest.raises(Fatal, match=r"did not start.*fhs is served again"):
                deployed.roll_out(replace(config, model="ewma", engine=EngineConfig(num_threads=0)))
            assert deployed.config == config
            deployed.roll_out(replace(config, model="ewma"))
            assert deployed.status().bundle == "baseline:ewma"
        finally:
            ended.set()
            asker.join()
    assert len(statuses) > 5
    assert set(statuses) == {200}, statuses
