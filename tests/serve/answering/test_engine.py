"""The model if it can, else the fallback, and always which it was."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from synthcity.errors import DataError, NotCovered
from synthcity.forecast.baselines import baseline
from synthcity.serve.admission.admission import Admission
from synthcity.serve.admission.refusal import Refusal
from synthcity.serve.answering.answer_ledger import AnswerLedger
from synthcity.serve.answering.answer_recorder import AnswerRecorder
from synthcity.serve.answering.engine import Answered, Engine, EngineConfig
from synthcity.serve.answering.metrics import ANSWERS, REFUSALS
from synthcity.serve.answering.service import Service
from synthcity.serve.answering.tally import Tally
from synthcity.serve.http.app import build_app
from synthcity.serve.http.axon import Axon
from synthcity.sn50.prompt import Prompt
from tests.serve.conftest import MarketPrices
from tests.serve.dialogue import NOW, body, headers
from tests.waiting import until

PROMPT = Prompt(
    asset="BTC", start_time=int(NOW) // 60 * 60 + 120, time_length=3600, time_increment=60, num_simulations=20
)
QUICK = EngineConfig(num_threads=2, model_seconds=0.2, reserve_seconds=0.0)


class Model:
    """Does what a test says, else draws."""

    name = "model"

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.released = threading.Event()

    def simulate(self, history, prompt, *, seed=None):
        if self.fault == "hang":
            self.released.wait(20)
        if self.fault == "data":
            raise DataError("too little history")
        if self.fault == "foreign":
            raise NotCovered("another grid")
        if self.fault == "bug":
            raise ZeroDivisionError
        paths = baseline("trailing").simulate(history, prompt, seed=seed)
        if self.fault == "nan":
            paths[3, 4] = np.nan
        return paths[:, :-1] if self.fault == "short" else paths

    def simulate_many(self, history, prompts: Sequence[Prompt], *, seed=None):
        return [self.simulate(history, prompt, seed=seed) for prompt in prompts]


@pytest.fixture
def engines(prices: MarketPrices) -> Iterator:
    made: list[tuple[Engine, Model]] = []

    def make(fault: str = "", fallback=None, config: EngineConfig = QUICK) -> Engine:
        model = Model(fault)
        made.append((Engine(model, fallback or baseline("ewma"), prices, config), model))
        return made[-1][0]

    yield make
    for engine, model in made:
        model.released.set()
        engine.close()


def _answer(engine: Engine, patience: float = 30.0, seed: int | None = None) -> Answered[int]:
    return asyncio.run(engine.answer(PROMPT, NOW, patience, lambda answer: len(answer.paths), seed))


def recover(engine: Engine) -> None:
    engine.model.fault = ""
    engine.model.released.set()
    until(lambda: engine.problem is None)


def test_the_model_answers_and_its_seed_repeats(engines):
    engine = engines()
    first = _answer(engine)
    assert (first.forecaster, first.fallback, first.result) == ("model", None, 20)
    np.testing.assert_array_equal(_answer(engine, seed=first.seed).answer.paths, first.answer.paths)
    assert _answer(engine).seed != first.seed


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("hang", "late"), ("data", "failed"), ("bug", "failed"), ("nan", "failed"), ("short", "failed")],
)
def test_the_fallback_answers_and_says_so(engines, caplog, fault: str, reason: str):
    with caplog.at_level(logging.WARNING):
        answered = _answer(engines(fault))
    assert (answered.forecaster, answered.fallback) == ("ewma", reason)
    assert answered.answer.paths.shape == (20, 61)
    assert f"ewma answered {PROMPT} in place of model ({reason})" in caplog.text


def test_what_the_model_was_not_made_for_is_told_apart_and_alarms_nobody(engines, caplog):
    with caplog.at_level(logging.WARNING):
        answered = _answer(engines("foreign"))
    assert (answered.forecaster, answered.fallback) == ("ewma", "foreign")
    assert caplog.text == ""


def test_too_little_time_goes_to_the_fallback_at_once(engines):
    config = EngineConfig(reserve_seconds=5.0)
    assert _answer(engines(config=config), patience=4.0).fallback == "late"


def test_where_too_many_wait_for_the_model_the_fallback_answers_at_once(engines):
    engine = engines("hang", config=EngineConfig(num_threads=2, most_waiting=3, model_seconds=1.0, reserve_seconds=0.0))

    async def ask() -> list[str | None]:
        asked = [engine.answer(PROMPT, NOW, 30.0, lambda answer: None) for _ in range(5)]
        return [(await answered).fallback for answered in asyncio.as_completed(asked)]

    assert sorted(map(str, asyncio.run(ask()))) == ["crowded", "crowded", "late", "late", "late"]
    recover(engine)
    assert _answer(engine).fallback is None


def test_a_model_that_never_comes_back_is_a_problem_until_it_does(engines):
    engine = engines("hang")
    assert engine.problem is None
    assert [_answer(engine).fallback for _ in range(3)] == ["late", "late", "stuck"]
    assert "does not come back" in engine.problem
    recover(engine)
    assert _answer(engine).fallback is None


def test_if_neither_can_the_caller_is_told_and_no_file_of_ours_is_named(engines, caplog):
    engine = engines("data", fallback=Model("data"))
    with pytest.raises(Refusal) as caught:
        _answer(engine)
    assert (caught.value.status, caught.value.reason) == (503, "no_answer")
    assert "history" not in caught.value.message
    assert "too little history" in caplog.text


def test_old_prices_are_not_passed_off_as_fresh(prices: MarketPrices):
    engine = Engine(Model(), baseline("ewma"), prices, QUICK)
    late = Prompt(asset="BTC", start_time=PROMPT.start_time + 3600, time_length=3600, time_increment=60)
    with pytest.raises(Refusal, match="no paths of BTC"):
        asyncio.run(engine.answer(late, NOW + 3600, 30.0, lambda answer: answer))
    engine.close()


def test_warming_up_tells_what_is_not_ready(engines):
    assert engines().warm_up([PROMPT], NOW) == []
    assert engines("data").warm_up([PROMPT], NOW) == ["model, BTC 3600 s: too little history"]


@pytest.fixture
def counts() -> Tally:
    return Tally()


@pytest.fixture
def hanging(engines, admission: Admission, tmp_path: Path, counts: Tally) -> Iterator[TestClient]:
    recorder = AnswerRecorder(AnswerLedger(tmp_path), counts)
    engine = engines("hang", config=EngineConfig(num_threads=1, model_seconds=1.0, reserve_seconds=0.0))
    service = Service(engine, counts, recorder, max_in_flight=1, clock=lambda: NOW)
    with TestClient(build_app(service, axon=Axon(service, admission))) as client:
        yield client
    recorder.close()


def test_too_many_at_once_are_sent_away_and_health_tells_the_rest(hanging: TestClient, counts: Tally):
    answers: list[int] = []
    asking = [
        threading.Thread(
            target=lambda n=n: answers.append(
                hanging.post("/Simulation", content=body(), headers=headers(uuid=f"caller-{n}")).status_code
            )
        )
        for n in range(3)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert sorted(answers) == [200, 503, 503]
    health = hanging.get("/healthz")
    assert (health.status_code, "does not come back" in health.json()["status"]) == (503, True)
    figures = counts.figures()
    assert (figures.by(REFUSALS, "reason"), figures.by(ANSWERS, "fallback")) == ({"busy": 2}, {"late": 1})
    assert hanging.post("/simulate", json={}).status_code == 404, "no REST where nobody said so"
    assert hanging.get("/docs").status_code == 404
