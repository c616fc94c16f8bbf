"""From a signed request to its score: ``mine score`` settles the very bytes that went out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from synthcity.cli import mine
from synthcity.cli.main import cli
from synthcity.market.store import Store
from synthcity.serve.answering.service import Service
from synthcity.serve.settlement.settle import read_scores
from synthcity.sn50.scoring import score
from tests.market.factories import make_bars
from tests.serve.dialogue import NOW, body, headers, question

START = int(NOW) // 60 * 60 + 120


@pytest.mark.parametrize(("length", "increment", "competition"), [(3600, 60, "crypto-1h"), (86400, 300, "crypto-24h")])
def test_an_answer_becomes_the_score_of_what_was_sent(
    client: TestClient, service: Service, tmp_path: Path, monkeypatch, length, increment, competition
):
    answer = client.post("/Simulation", content=body(question("BTC", length, increment)), headers=headers())
    start, step, *sent = json.loads(answer.content)["simulation_output"]
    assert (start, step) == (START, increment)
    service.recorder.close()
    bars = make_bars(length // 60 + 10, start=START - 120, resolution=60)
    Store(tmp_path / "store").append("BTC", "binance", 60, bars)
    monkeypatch.setattr(mine.time, "time", lambda: START + length + 600.0)
    arguments = ["mine", "score", str(tmp_path / "ledger"), "--store", str(tmp_path / "store")]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    closes = dict(zip(bars.time.tolist(), bars.close.tolist(), strict=True))
    truth = [closes[START + k * increment] for k in range(length // increment + 1)]
    expected = score(np.array(sent).astype(np.float32), truth, competition)
    (row,) = read_scores(tmp_path / "ledger").to_dict("records")
    assert row["total"] == expected.total
    assert result.output.startswith("1 settled, 0 pending")
    assert f"{competition}  " in result.output
    assert f"{expected.total:.1f}" in result.output
