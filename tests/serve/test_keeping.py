from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from starlette.testclient import TestClient

from synthcity.forecast.baselines import baseline
from synthcity.market.store import Store
from synthcity.serve.build import LEDGER, ServeConfig, build
from synthcity.serve.engine import Answered, Engine
from synthcity.serve.keeping import KeepingLog
from synthcity.serve.ledger import AnswerLedger
from synthcity.serve.settle import read_answers
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.submission import round_paths
from tests.serve.dialogue import MINER, NOW, body, headers, market, question, write_snapshot


def ask(prices) -> tuple[Prompt, Answered]:
    prompt = Prompt(
        asset="BTC", start_time=int(NOW) // 60 * 60 + 60, time_increment=60, time_length=3600, num_simulations=20
    )
    engine = Engine(baseline("ewma"), baseline("trailing"), prices)
    try:
        return prompt, asyncio.run(engine.answer(prompt, NOW, 30.0, lambda answer: None))
    finally:
        engine.close()


def test_what_a_validator_got_is_kept_and_what_others_got_is_not(prices, tmp_path):
    prompt, answered = ask(prices)
    log = KeepingLog(tmp_path / "prompts.jsonl", AnswerLedger(tmp_path / "ledger"), "abc")
    log.add(prompt, answered, now=NOW, caller="5validator", seconds=0.1)
    log.add(prompt, replace(answered, fallback="stuck", forecaster="trailing"), now=NOW, caller="5v", seconds=0.1)
    log.add(prompt, answered, now=NOW, caller="", seconds=0.1)
    log.close()
    (first, second), problems = read_answers(tmp_path / "ledger")
    assert problems == []
    assert (first.prompt, first.seed, first.bundle, first.fallback) == (prompt, answered.seed, "abc", None)
    assert (second.bundle, second.fallback) == ("trailing", "stuck")
    assert first.price_age == answered.answer.price_age
    sent = round_paths(answered.answer.paths).astype(np.float32)
    np.testing.assert_array_equal(first.load_paths(tmp_path / "ledger"), sent)
    assert len((tmp_path / "prompts.jsonl").read_bytes().splitlines()) == 3


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
    assert (kept.prompt.start_time, kept.sent) == (start, True)
    sent = np.array(answer.json()["simulation_output"][2:], dtype=np.float32)
    np.testing.assert_array_equal(kept.load_paths(state / LEDGER), sent)
