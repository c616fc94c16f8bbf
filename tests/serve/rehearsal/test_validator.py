"""The stand-in for a validator is admitted as one, and takes no answer that the network would refuse."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from bittensor_wallet import Keypair

from synthcity.forecast.baselines import baseline
from synthcity.serve.admission.admission import Admission
from synthcity.serve.admission.metagraph import Metagraph
from synthcity.serve.admission.nonces import Nonces
from synthcity.serve.answering.answer_ledger import AnswerLedger
from synthcity.serve.answering.answer_recorder import AnswerRecorder
from synthcity.serve.answering.engine import Engine
from synthcity.serve.answering.service import Service
from synthcity.serve.answering.tally import Tally
from synthcity.serve.http.app import build_app
from synthcity.serve.http.axon import Axon
from synthcity.serve.rehearsal.validator import _judge, ask
from synthcity.sn50.prompt import Prompt
from tests.serve.conftest import MarketPrices
from tests.serve.dialogue import MINER, VALIDATOR, market, write_snapshot
from tests.serve.server import running_app

STRANGER = Keypair.create_from_uri("//Nobody")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    prices, tally = MarketPrices(market(("BTC",), now=time.time())), Tally()
    engine, recorder = (
        Engine(baseline("ewma"), baseline("trailing"), prices),
        AnswerRecorder(AnswerLedger(tmp_path), tally),
    )
    nonces = Nonces(tmp_path / "nonces.sqlite")
    service = Service(engine, tally, recorder)
    admission = Admission(MINER.ss58_address, Metagraph(write_snapshot(tmp_path)), nonces)
    with running_app(build_app(service, axon=Axon(service, admission))) as address:
        yield address
    engine.close()
    recorder.close()
    nonces.close()


def _prompt(num_simulations: int = 20) -> Prompt:
    start = int(time.time()) // 60 * 60 + 120
    return Prompt(asset="BTC", start_time=start, time_length=3600, time_increment=60, num_simulations=num_simulations)


def test_a_signed_prompt_is_answered_and_the_answer_valid(url: str):
    reply = ask(url, VALIDATOR, MINER.ss58_address, _prompt())
    assert (reply.status, reply.refused) == (200, None)
    assert reply.num_bytes > 20 * 61
    assert 0 < reply.seconds < 60


def test_whoever_is_none_or_forges_is_refused(url: str):
    assert ask(url, STRANGER, MINER.ss58_address, _prompt()).status == 403
    forged = ask(url, VALIDATOR, MINER.ss58_address, _prompt(), signed=False)
    assert (forged.status, forged.refused.startswith("status 401: ")) == (401, True)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([], "lacks simulation_input"),
        ({"simulation_output": []}, "lacks simulation_input"),
        ({"simulation_input": {}}, "empty or no list"),
        ({"simulation_input": {}, "simulation_output": [1, 60, [1.0] * 61]}, "1 paths instead of 20"),
    ],
)
def test_what_the_network_would_refuse_is_told(answer: object, reason: str):
    assert reason in _judge(httpx.Response(200, content=json.dumps(answer)), _prompt())
