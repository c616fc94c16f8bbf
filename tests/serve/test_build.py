from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np
from starlette.testclient import TestClient

from synthcity.market.store import Store
from synthcity.serve.build import LEDGER, ServeConfig, build
from synthcity.serve.settle import read_answers
from tests.serve.dialogue import MINER, body, headers, market, question, write_snapshot


def test_a_service_for_validators_keeps_what_they_got(tmp_path):
    now = time.time()
    for (asset, resolution), bars in market(("BTC",), now=now).items():
        Store(tmp_path / "store").append(asset, "test", resolution, bars)
    state = tmp_path / "state"
    config = ServeConfig(
        model="ewma",
        store=str(tmp_path / "store"),
        state=str(state),
        hotkey=MINER.ss58_address,
        metagraph=str(write_snapshot(tmp_path)),
    )
    start = int(now) // 60 * 60 + 120
    asked = question(length=3600, increment=60, start_time=datetime.fromtimestamp(start, UTC).isoformat())
    with TestClient(build(config).app) as client:
        answer = client.post("/Simulation", content=body(asked), headers=headers(time.time()))
        assert answer.status_code == 200, answer.text
    (kept,), problems = read_answers(state / LEDGER)
    assert problems == []
    assert (kept.prompt.start_time, kept.sent, kept.bundle) == (start, True, "baseline:ewma")
    sent = np.array(answer.json()["simulation_output"][2:], dtype=np.float32)
    np.testing.assert_array_equal(kept.load_paths(state / LEDGER), sent)
