"""Validators' requests over HTTP, in this process."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from synthcity.serve.admission.nonces import Nonces
from synthcity.serve.answering.service import Service
from synthcity.serve.settlement.settle import read_answers
from synthcity.sn50.competitions import get_rules, rule_dates
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.submission import validate
from tests.serve.dialogue import NOW, VALIDATOR, body, headers, question

START = int(NOW) // 60 * 60 + 120
CASES = sorted(
    {
        (asset, competition.time_length, competition.time_increment)
        for date in rule_dates()
        for competition in get_rules(date).competitions.values()
        for asset in competition.assets
    }
)


@pytest.mark.parametrize(("asset", "length", "increment"), CASES)
def test_every_asset_of_every_competition_gets_a_valid_answer(client: TestClient, asset, length, increment):
    asked = question(asset, length, increment)
    answer = client.post("/Simulation", content=body(asked), headers=headers())
    assert answer.status_code == 200, answer.text
    data = json.loads(answer.content)
    prompt = Prompt(asset=asset, start_time=START, time_length=length, time_increment=increment)
    for date in rule_dates():
        assert validate(data["simulation_output"], prompt, get_rules(date)) is None
    assert data["simulation_input"] == {}
    assert answer.headers["content-encoding"] == "gzip"
    assert not [name for name in answer.headers if name.startswith("bt_")]


def test_paths_start_near_the_last_price_and_differ(client: TestClient, service: Service):
    answer = client.post("/Simulation", content=body(), headers=headers())
    paths = np.array(answer.json()["simulation_output"][2:])
    last = service.engine.prices.history("BTC", NOW).last_price("BTC", 60)
    assert np.median(paths[:, 0]) == pytest.approx(last, rel=1e-3)
    assert len(np.unique(paths[:, -1])) > 900


def test_the_seed_is_written_down_and_draws_the_same_again(client: TestClient, service: Service):
    sent = np.array(client.post("/Simulation", content=body(), headers=headers()).json()["simulation_output"][2:])
    service.recorder.close()
    ((record,), _) = read_answers(service.recorder.ledger.folder)
    assert (record.caller, record.bundle, record.fallback) == (VALIDATOR.ss58_address, "champion", None)
    asked = {"asset": "BTC", "start_time": START, "seed": record.seed}
    again = client.post("/simulate", json=asked).json()
    np.testing.assert_allclose(sent, again["paths"], rtol=1e-6)


def test_what_another_replica_holds_is_waited_for_and_answered_when_that_one_is_gone(
    client: TestClient, tmp_path: Path
):
    sent = headers()
    asked = (sent["bt_header_dendrite_hotkey"], sent["bt_header_dendrite_uuid"], int(sent["bt_header_dendrite_nonce"]))
    other = Nonces(tmp_path / "nonces.sqlite")
    assert other.raise_to(*asked)
    refused = client.post("/Simulation", content=body(), headers=sent)
    assert (refused.status_code, refused.json()["message"]) == (
        401,
        "the nonce is not above the last one of this caller",
    )
    killed = threading.Timer(0.2, other._presence.close)
    killed.start()
    statuses = [client.post("/Simulation", content=body(), headers=sent).status_code for _ in range(2)]
    assert statuses == [200, 401]
    killed.join()
    other.close()


def test_an_answer_that_went_out_spends_the_nonce(client: TestClient, tmp_path: Path):
    sent = headers()
    assert client.post("/Simulation", content=body(), headers=sent).status_code == 200
    for path in (tmp_path / "nonces.sqlite-holders").iterdir():
        path.unlink()  # as if the replica had been killed afterwards
    assert client.post("/Simulation", content=body(), headers=sent).status_code == 401


def test_answers_and_refusals_are_counted_and_shown_to_nobody_here(client: TestClient, service: Service):
    client.post("/Simulation", content=body(), headers=headers())
    client.post("/Simulation", content=body(), headers={})
    figures = service.metrics.figures()
    assert figures.counters == {
        ("synthcity_answers", ("Simulation", "BTC", "86400", "none")): 1.0,
        ("synthcity_refusals", ("Simulation", "", "400", "malformed")): 1.0,
    }
    assert {name: sum(found.counts) for (name, _), found in figures.histograms.items()} == {
        f"synthcity_{name}_seconds": 1 for name in ("latency", "deadline_margin", "price_age")
    }
    assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize("path", ["/Synapse", "/simulation", "/Simulation/", "/"])
def test_other_routes_do_not_exist(client: TestClient, path: str):
    answer = client.post(path, content=body(), headers=headers(), follow_redirects=False)
    assert answer.status_code == 404
    assert answer.json() == {"message": "Not Found"}


def test_get_is_no_question(client: TestClient):
    assert client.get("/Simulation", headers=headers()).status_code == 405


def test_without_gzip_the_answer_is_plain(client: TestClient):
    answer = client.post("/Simulation", content=body(), headers=headers(**{"accept-encoding": "identity"}))
    assert "content-encoding" not in answer.headers
    assert len(answer.json()["simulation_output"]) == 1002
