"""A real dendrite gets correct answers. Needs bittensor 10.5 (``synth-city[mine]``).

Where that is installed for another interpreter, ``SYNTHCITY_BITTENSOR_PYTHON`` names it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

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
from synthcity.sn50.competitions import get_rules, rule_dates
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.submission import validate
from tests.serve.conftest import ASSETS, MarketPrices
from tests.serve.dialogue import MINER, market, question, write_snapshot
from tests.serve.http.test_axon import CASES
from tests.serve.server import running_app

PYTHON = os.environ.get("SYNTHCITY_BITTENSOR_PYTHON") or (
    sys.executable if importlib.util.find_spec("bittensor") else None
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PYTHON is None, reason="bittensor is not installed; see SYNTHCITY_BITTENSOR_PYTHON"),
]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[str]:
    engine = Engine(baseline("fhs"), baseline("trailing"), MarketPrices(market(ASSETS, now=time.time())))
    recorder = AnswerRecorder(AnswerLedger(tmp_path / "ledger"), Tally())
    nonces = Nonces(tmp_path / "nonces.sqlite")
    service = Service(engine, Tally(), recorder)
    admission = Admission(MINER.ss58_address, Metagraph(write_snapshot(tmp_path)), nonces)
    with running_app(build_app(service, axon=Axon(service, admission))) as url:
        yield url
    engine.close()
    recorder.close()
    nonces.close()


def _ask(root: str, key: str, questions: list[dict], receiver: str = MINER.ss58_address) -> list[list]:
    asked = {"port": int(root.rpartition(":")[2]), "receiver": receiver, "key": key, "questions": questions}
    script = Path(__file__).with_name("dendrite.py")
    command = [str(PYTHON), str(script)]
    home = {**os.environ, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, env=home, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_validator_gets_valid_answers_for_every_asset_of_every_competition(root: str):
    start = int(time.time()) // 60 * 60 + 240
    told = datetime.fromtimestamp(start, UTC).isoformat()
    answers = _ask(root, "//Validator", [question(*case, start_time=told) for case in CASES])
    for (asset, length, increment), (status, message, output) in zip(CASES, answers, strict=True):
        assert status in (None, 200), message  # the library reads its own status from a header that need not be sent
        prompt = Prompt(asset=asset, start_time=start, time_length=length, time_increment=increment)
        for date in rule_dates():
            assert validate(output, prompt, get_rules(date)) is None


@pytest.mark.parametrize(("key", "status"), [("//Stranger", 403), ("//Poor", 403), ("//Layman", 403)])
def test_others_get_none(root: str, key: str, status: int):
    ((found, message, output),) = _ask(root, key, [question()])
    assert (found, output) == (status, None), message


def test_what_was_meant_for_another_axon_gets_none(root: str):
    other = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
    ((status, message, output),) = _ask(root, "//Validator", [question()], other)
    assert (status, output) == (401, None), message
