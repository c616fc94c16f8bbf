"""Whatever is sent, the answer is a verdict: no crash and no 500."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from synthcity.serve.admission.admission import Admission
from synthcity.serve.admission.metagraph import Metagraph
from synthcity.serve.admission.nonces import Nonces
from synthcity.serve.admission.question import QuestionConfig, read_body
from synthcity.serve.admission.refusal import Refusal
from synthcity.serve.answering.service import Service
from synthcity.serve.http.axon import Axon
from tests.serve.dialogue import MINER, NOW, body, headers, question, write_snapshot

NAMES = sorted(headers())
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=60)
WORDS = st.one_of(TEXT, st.integers().map(str), st.floats().map(str), st.sampled_from(sorted(headers().values())))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=20))
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner), max_leaves=8)
FIELDS = st.dictionaries(st.sampled_from(sorted(question())), LEAVES | JSON, max_size=5)
KEYS = st.sampled_from([*sorted(question()), "simulation_input"])
BODIES = st.one_of(
    st.binary(max_size=200),
    JSON.map(orjson.dumps),
    FIELDS.map(lambda changed: orjson.dumps({"simulation_input": {**question(num_simulations=2), **changed}})),
)


def ask(axon: Axon, sent: dict[str, str], content: bytes) -> int:
    """Status of one request, made without HTTP."""
    raw = [(name.encode("latin-1", "replace"), value.encode("utf-8")) for name, value in sent.items()]
    scope = {"type": "http", "method": "POST", "path": "/Simulation", "headers": raw, "client": ("127.0.0.1", 1)}

    async def receive():
        return {"type": "http.request", "body": content, "more_body": False}

    return asyncio.run(axon(Request(scope, receive))).status_code


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changed=st.dictionaries(st.sampled_from(NAMES), WORDS, max_size=4), content=BODIES, left=st.sets(KEYS))
def test_every_request_gets_a_verdict(service: Service, tmp_path: Path, changed, content, left):
    nonces = Nonces(Path(tempfile.mkdtemp(dir=tmp_path)) / "nonces.sqlite")
    axon = Axon(service, Admission(MINER.ss58_address, Metagraph(write_snapshot(tmp_path)), nonces))
    sent = {name: value for name, value in (headers() | changed).items() if name not in left}
    assert ask(axon, sent, content) in {200, 400, 401, 403, 413}
    nonces.close()


@settings(max_examples=500, deadline=None)
@given(content=BODIES)
def test_every_body_is_a_prompt_within_bounds_or_refused(content: bytes):
    try:
        prompt = read_body(content, NOW, QuestionConfig())
    except Refusal:
        return
    assert 1 <= prompt.num_simulations <= 1000
    assert (prompt.time_length, prompt.time_increment) in QuestionConfig().grids
    assert NOW <= prompt.start_time <= NOW + 300


def test_the_unchanged_request_is_answered(service: Service, tmp_path: Path):
    axon = Axon(service, Admission(MINER.ss58_address, Metagraph(write_snapshot(tmp_path)), Nonces(tmp_path / "n")))
    assert ask(axon, headers(), body(question(num_simulations=2))) == 200
