from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.choose import identify
from synthcity.forecast.bundles.facts import SIMULATED
from synthcity.forecast.dispatch import Dispatch, Route
from synthcity.market.store import Store
from synthcity.nets import registry
from synthcity.nets.authored.code import forget
from synthcity.serve.answering.answer_ledger import LEDGER
from synthcity.serve.build import ServeConfig, build, check
from synthcity.serve.settlement.settle import read_answers
from synthcity.sn50.competitions import get_rules
from tests.forecast.bundles.test_facts import bundle, facts
from tests.serve.builders import CODE, write_coded_bundle
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


def test_a_replica_that_refuses_everybody_for_want_of_a_snapshot_says_so(tmp_path: Path):
    for (asset, resolution), bars in market(("BTC",), now=time.time()).items():
        Store(tmp_path / "store").append(asset, "test", resolution, bars)
    path = tmp_path / "metagraph.json"
    path.write_bytes(b"[" * 200_000)
    folders = {"store": str(tmp_path / "store"), "state": str(tmp_path / "state"), "metagraph": str(path)}
    service = build(ServeConfig(model="ewma", hotkey=MINER.ss58_address, **folders)).service
    (problem,) = service.status().problems
    assert problem.startswith(f"{path} is no snapshot of the chain (")
    assert problem.endswith("; everybody is refused")


@pytest.fixture
def coded(tmp_path: Path) -> Iterator[Path]:
    yield write_coded_bundle(tmp_path / "coded", "ewma")
    forget(CODE)


@pytest.mark.parametrize("role", ["model", "challenger"])
def test_code_that_a_model_wrote_is_served_only_where_somebody_trusts_it(tmp_path: Path, coded: Path, role: str):
    for (asset, resolution), bars in market(("BTC",), now=time.time()).items():
        Store(tmp_path / "store").append(asset, "test", resolution, bars)
    plain = ServeConfig(model="trailing", store=str(tmp_path / "store"), state=str(tmp_path / "state"))
    config = replace(plain, **{role: str(coded)})
    for start in (check, build):
        with pytest.raises(BundleError, match=r"code/0.py \(block gated_average\); read it, and if .*--trust-code"):
            start(config)
    assert "gated_average" not in registry.blocks()
    trusted = replace(config, trust_code=True)
    check(trusted)
    asked = {"asset": "BTC", "time_length": 3600, "time_increment": 60, "num_simulations": 20}
    with TestClient(build(trusted).app) as client:
        assert client.post("/simulate", json=asked).json()["forecaster"] == (
            "ewma" if role == "model" else "trailing+q"
        )


def test_a_bundle_that_is_gone_is_told_in_words(tmp_path: Path):
    with pytest.raises(BundleError, match="put the bundle back"):
        identify(str(tmp_path / "gone"))


def test_people_are_told_where_the_model_comes_from(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    for (asset, resolution), bars in market(("BTC",), now=time.time()).items():
        Store(tmp_path / "store").append(asset, "test", resolution, bars)
    made_up = bundle(tmp_path / "made-up", facts(SIMULATED, rules=get_rules().date))
    config = ServeConfig(model=str(made_up), store=str(tmp_path / "store"), state=str(tmp_path / "state"))
    with TestClient(build(config).app) as client:
        told = client.get("/models").json()
    assert told["simulated"] is True
    assert told["facts"] == [str(facts(SIMULATED, rules=get_rules().date))]
    assert told["warnings"] == [
        f"{made_up} was trained on SIMULATED prices: its forecasts of real ones are worth nothing"
    ]
    assert told["warnings"][0] in caplog.text
    with TestClient(build(replace(config, model="fhs")).app) as client:
        assert client.get("/models").json()["simulated"] is False


def test_a_model_that_answers_nothing_is_refused_before_anything_starts(tmp_path: Path):
    for (asset, resolution), bars in market(("BTC",), now=time.time()).items():
        Store(tmp_path / "store").append(asset, "test", resolution, bars)
    Dispatch([Route.parse("crypto-24h:ETH")], [baseline("fhs")]).save(tmp_path / "eth")
    config = ServeConfig(model=str(tmp_path / "eth"), store=str(tmp_path / "store"), state=str(tmp_path / "state"))
    with pytest.raises(ConfigError, match="eth was made for no prompt of BTC that the network sends"):
        check(config)
