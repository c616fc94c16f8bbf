"""Nobody takes all: a validator that asks without end, and people who may ask without a name."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from synthcity.forecast.baselines import baseline
from synthcity.market.store import Store
from synthcity.serve.admission.refusal import Refusal
from synthcity.serve.answering.answer_ledger import AnswerLedger
from synthcity.serve.answering.answer_recorder import AnswerRecorder
from synthcity.serve.answering.engine import Engine, EngineConfig
from synthcity.serve.answering.service import Asked, Service
from synthcity.serve.answering.tally import Tally
from synthcity.serve.build import ServeConfig, build
from synthcity.serve.settlement.settle import read_answers
from tests.serve.answering.test_engine import PROMPT, Model
from tests.serve.conftest import MarketPrices
from tests.serve.dialogue import MINER, NOW, market, write_snapshot
from tests.waiting import until


class Counting(Model):
    """Draws one after the other, and remembers how many were drawn before each."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = threading.Semaphore(0)

    def simulate(self, history, prompt, *, seed=None):
        assert self.turn.acquire(timeout=20)
        return super().simulate(history, prompt, seed=seed)


def _asked(caller: str) -> Asked:
    return Asked(route="Simulation", caller=caller, now=NOW, begin=time.perf_counter(), patience_seconds=60.0)


def test_sixty_prompts_at_once_of_one_validator_leave_the_others_their_turn(prices: MarketPrices, tmp_path: Path):
    model, ended = Counting(), list[str]()
    engine = Engine(model, baseline("trailing"), prices, EngineConfig(num_threads=1))
    recorder = AnswerRecorder(AnswerLedger(tmp_path), Tally())
    service = Service(engine, Tally(), recorder, clock=lambda: NOW)

    async def ask(caller: str) -> str:
        try:
            answered = await service.answer(_asked(caller), PROMPT, lambda answer: None)
        except Refusal as refusal:
            return refusal.reason
        ended.append(caller)
        return answered.fallback or "model"

    async def storm() -> tuple[list[str], list[str]]:
        greedy = [asyncio.ensure_future(ask("greedy")) for _ in range(60)]
        await asyncio.sleep(0)
        modest = [asyncio.ensure_future(ask(f"modest {k}")) for k in range(3)]
        await asyncio.sleep(0)
        model.turn.release(100)
        return await asyncio.gather(*greedy), await asyncio.gather(*modest)

    greedy, modest = asyncio.run(storm())
    assert Counter(greedy) == {"share": 44, "model": 16}
    assert modest == ["model"] * 3
    assert max(ended.index(f"modest {k}") for k in range(3)) <= 4, "each after one of the greedy one's"
    engine.close()
    recorder.close()
    assert recorder.problem is None
    assert len(read_answers(tmp_path)[0]) == 19, "nothing that went out is unrecorded"


def test_answers_that_wait_for_the_disk_are_part_of_a_share_but_a_disk_that_hangs_is_not(
    prices: MarketPrices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    released = threading.Event()
    ledger = AnswerLedger(tmp_path)
    monkeypatch.setattr(ledger, "record", lambda *_, **__: released.wait(20))
    engine = Engine(baseline("ewma"), baseline("trailing"), prices)
    recorder = AnswerRecorder(ledger, Tally())
    service = Service(engine, Tally(), recorder, max_per_caller=2, clock=lambda: NOW)

    def ask(caller: str) -> str:
        try:
            asyncio.run(service.answer(_asked(caller), PROMPT, lambda answer: None))
        except Refusal as refusal:
            return refusal.reason
        return "answered"

    assert [ask("greedy") for _ in range(6)] == ["answered"] * 4 + ["share"] * 2
    assert ask("modest") == "answered"
    later = time.monotonic() + 3.0
    monkeypatch.setattr("synthcity.serve.answering.answer_recorder.time.monotonic", lambda: later)
    assert ask("greedy") == "answered"
    monkeypatch.undo()
    released.set()
    engine.close()
    recorder.close()


def test_people_have_a_bound_and_threads_of_their_own(tmp_path: Path):
    for (asset, resolution), bars in market(("BTC",), now=time.time()).items():
        Store(tmp_path / "store").append(asset, "test", resolution, bars)
    config = ServeConfig(
        model="ewma",
        store=str(tmp_path / "store"),
        state=str(tmp_path / "state"),
        hotkey=MINER.ss58_address,
        metagraph=str(write_snapshot(tmp_path)),
        max_rest=2,
    )
    running = build(config)
    model, started = Model("hang"), threading.Barrier(3)
    running.people.engine.model = model
    asked = {"asset": "BTC", "time_length": 3600, "time_increment": 60, "num_simulations": 5}
    statuses = list[int]()
    with TestClient(running.app) as client:

        def ask() -> None:
            started.wait(20)
            statuses.append(client.post("/simulate", json=asked).status_code)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        started.wait(20)
        until(lambda: running.people.num_in_hand == 2)
        assert [client.post("/simulate", json=asked).status_code for _ in range(30)] == [503] * 30
        assert running.service.num_in_hand == 0
        answered = asyncio.run(running.service.answer(_now(), _prompt(), lambda answer: None))
        assert answered.fallback is None, "validators have the model's threads for themselves"
        model.released.set()
        for thread in threads:
            thread.join()
    assert statuses == [200, 200]


def _now() -> Asked:
    return Asked(route="Simulation", caller="v", now=time.time(), begin=time.perf_counter(), patience_seconds=60.0)


def _prompt():
    return replace(PROMPT, start_time=int(time.time()) // 60 * 60 + 60)
