"""A challenger answers after the champion, from the same prices, for the ledger alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from synthcity.errors import ConfigError
from synthcity.forecast.baselines import baseline
from synthcity.serve.admission.admission import Admission
from synthcity.serve.answering.clock import simulate
from synthcity.serve.answering.service import Service
from synthcity.serve.answering.shadow import Shadow
from synthcity.serve.build import ServeConfig, check
from synthcity.serve.http.app import build_app
from synthcity.serve.http.axon import Axon
from synthcity.serve.settlement.settle import read_answers
from synthcity.sn50.submission import round_paths
from tests.serve.answering.test_engine import Model
from tests.serve.dialogue import NOW, body, headers, question


@pytest.fixture
def shadowed(service: Service, admission: Admission) -> Iterator:
    def make(model: Model, most_waiting: int = 8) -> TestClient:
        service.shadow = Shadow(
            model,
            "challenger",
            baseline("ewma"),
            service.recorder,
            longest_wait_seconds=1800,
            most_waiting=most_waiting,
        )
        return TestClient(build_app(service, axon=Axon(service, admission)))

    yield make
    service.shadow.model.released.set()
    service.shadow.close()


def _ask(client: TestClient, number: int = 0) -> None:
    asked = question("BTC", 3600, 60, num_simulations=20)
    answer = client.post("/Simulation", content=body(asked), headers=headers(uuid=f"caller-{number}"))
    assert answer.status_code == 200, answer.text


def test_the_same_prices_and_seed_are_drawn_from_and_nobody_gets_it(shadowed, service: Service, tmp_path: Path):
    _ask(shadowed(Model()))
    service.shadow.close()
    service.recorder.close()
    champion, challenger = read_answers(tmp_path / "ledger")[0]
    assert (champion.bundle, champion.sent, challenger.bundle, challenger.sent) == (
        "champion",
        True,
        "challenger",
        False,
    )
    assert (challenger.prompt, challenger.seed, challenger.asked_at) == (champion.prompt, champion.seed, NOW)
    history = service.engine.prices.history("BTC", NOW)
    drawn = simulate(baseline("trailing"), history, challenger.prompt, seed=challenger.seed)
    expected = round_paths(drawn.paths).astype(np.float32)
    np.testing.assert_array_equal(challenger.load_paths(tmp_path / "ledger"), expected)
    status = service.status()
    assert (status.answered, status.shadowed, status.shadow_failed) == ({"BTC": 1}, 1, 0)


@pytest.mark.parametrize("fault", ["data", "bug", "nan", "short"])
def test_what_it_cannot_answer_is_recorded_against_it(shadowed, service: Service, tmp_path: Path, fault: str):
    _ask(shadowed(Model(fault)))
    service.shadow.close()
    service.recorder.close()
    _, challenger = read_answers(tmp_path / "ledger")[0]
    assert (challenger.bundle, challenger.sent, challenger.fallback) == ("challenger", False, "failed")
    assert service.status().shadow_failed == 1


def test_for_what_it_was_not_made_the_fallback_is_its_answer(shadowed, service: Service, tmp_path: Path):
    _ask(shadowed(Model("foreign")))
    service.shadow.close()
    service.recorder.close()
    _, challenger = read_answers(tmp_path / "ledger")[0]
    assert (challenger.bundle, challenger.fallback) == ("challenger", "foreign")
    assert service.status().shadow_failed == 0


def test_a_challenger_that_hangs_costs_no_answer_and_is_told(shadowed, service: Service):
    client = shadowed(Model("hang"), most_waiting=1)
    for number in range(4):
        _ask(client, number)
    assert service.shadow.num_left_out >= 2
    assert "came too fast for the challenger" in service.status().problems[0]
    assert any(thread.name == "shadow_0" for thread in threading.enumerate())


def test_a_challenger_that_is_the_champion_is_refused(tmp_path: Path):
    config = ServeConfig(model="fhs", challenger="fhs", store=str(tmp_path), state=str(tmp_path / "state"))
    with pytest.raises(ConfigError, match="the challenger fhs is the champion itself"):
        check(config)
