"""The table of refusals, row by row, over HTTP and without."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from synthcity.serve.admission.admission import Admission, AdmissionConfig
from synthcity.serve.admission.metagraph import Metagraph
from synthcity.serve.admission.nonces import Nonces
from synthcity.serve.admission.refusal import Refusal
from tests.serve.dialogue import LAYMAN, MINER, NOW, POOR, STRANGER, VALIDATOR, body, headers, write_snapshot

NOW_NS = int(NOW * 1e9)
SIGNATURE = "bt_header_dendrite_signature"
REFUSED = {
    "unsigned": ({SIGNATURE: ""}, 401),
    "signature too short": ({SIGNATURE: "0x" + "00" * 63}, 401),
    "signature of zeros": ({SIGNATURE: "0x" + "00" * 64}, 401),
    "signature is no hex": ({SIGNATURE: "0x" + "zz" * 64}, 401),
    "signed by another key": ({"key": STRANGER, "caller": VALIDATOR.ss58_address}, 401),
    "signed for another axon": ({"receiver": STRANGER.ss58_address}, 401),
    "says our hotkey, signed for another": (
        {"receiver": STRANGER.ss58_address, "bt_header_axon_hotkey": MINER.ss58_address},
        401,
    ),
    "signed for us, says another": ({"bt_header_axon_hotkey": STRANGER.ss58_address}, 401),
    "another nonce than was signed": ({"bt_header_dendrite_nonce": str(NOW_NS + 1)}, 401),
    "another uuid than was signed": ({"bt_header_dendrite_uuid": "other"}, 401),
    "nonce older than time-out and grace": ({"age": 94.0}, 401),
    "long time-out with a day-old nonce": ({"age": 86400.0, "timeout": "100000"}, 401),
    "time-out above the cap does not lengthen the window": ({"age": 135.0, "timeout": "1000"}, 401),
    "nonce an hour ahead": ({"age": -3600.0}, 401),
    "nonce 5.5 s ahead": ({"age": -5.5}, 401),
    "counter for a nonce, old version": ({"nonce": 5, "bt_header_dendrite_version": "7001999"}, 401),
    "counter for a nonce, new version": ({"nonce": 5}, 401),
    "old version with a good nonce": ({"bt_header_dendrite_version": "7001999"}, 401),
    "no version": ({"bt_header_dendrite_version": ""}, 401),
    "negative nonce": ({"bt_header_dendrite_nonce": "-1"}, 401),
    "endless nonce": ({"bt_header_dendrite_nonce": "9" * 4000}, 401),
    "nonce in other digits": ({"bt_header_dendrite_nonce": "\u0663"}, 401),
    "no uuid": ({"bt_header_dendrite_uuid": ""}, 401),
    "endless uuid": ({"uuid": "u" * 101}, 401),
    "hotkey is no address": ({"bt_header_dendrite_hotkey": "hotkey"}, 401),
    "unregistered": ({"key": STRANGER}, 403),
    "stake below the floor": ({"key": POOR}, 403),
    "no permit": ({"key": LAYMAN}, 403),
    "the miner itself": ({"key": MINER}, 403),
    "wrong body hash": ({"computed_body_hash": "0" * 64}, 400),
    "another synapse": ({"name": "Synapse"}, 400),
    "time-out is no number": ({"timeout": "soon"}, 400),
    "time-out NaN": ({"timeout": "nan"}, 400),
    "time-out infinite": ({"timeout": "inf"}, 400),
    "time-out 0": ({"timeout": "0"}, 400),
    "no time-out": ({"timeout": ""}, 400),
    "no JSON content type": ({"content-type": "text/plain"}, 400),
}


@pytest.mark.parametrize(("change", "status"), REFUSED.values(), ids=REFUSED)
def test_is_refused(client: TestClient, change: dict, status: int):
    sent = {name: value.encode("utf-8") for name, value in headers(**change).items()}
    answer = client.post("/Simulation", content=body(), headers=sent)
    assert (answer.status_code, list(answer.json())) == (status, ["message"]), answer.text
    assert not re.search("[0-9a-f]{100}", answer.text)


@pytest.mark.parametrize("changed", [{}, {"age": 93.0}, {"age": -4.5}, {"age": 133.0, "timeout": "1000"}])
def test_is_admitted(client: TestClient, changed: dict):
    assert client.post("/Simulation", content=body(), headers=headers(**changed)).status_code == 200


def test_the_same_and_an_older_nonce_are_refused_a_newer_one_is_not(client: TestClient):
    def ask(age: float, uuid: str = "one") -> int:
        return client.post("/Simulation", content=body(), headers=headers(age=age, uuid=uuid)).status_code

    assert [ask(3), ask(3), ask(4), ask(2), ask(2)] == [200, 401, 401, 200, 401]
    assert ask(3, uuid="two") == 200


def test_a_captured_request_is_worth_nothing_after_a_restart(tmp_path: Path):
    registry, captured = Metagraph(write_snapshot(tmp_path)), headers()
    for expected in (None, "replay"):
        nonces = Nonces(tmp_path / "nonces.sqlite")
        admission = Admission(MINER.ss58_address, registry, nonces)
        assert _verdict(admission, captured) == expected
        nonces.close()


def test_two_replicas_share_their_memory(tmp_path: Path):
    registry, captured = Metagraph(write_snapshot(tmp_path)), headers()
    nonces = [Nonces(tmp_path / "nonces.sqlite") for _ in range(2)]
    replicas = [Admission(MINER.ss58_address, registry, one) for one in nonces]
    assert [_verdict(one, captured) for one in replicas] == [None, "replay"]
    for one in nonces:
        one.close()


def test_nothing_is_remembered_of_a_request_that_is_not_admitted(admission: Admission):
    forged = headers(key=STRANGER, caller=VALIDATOR.ss58_address)
    assert _verdict(admission, forged) == "signature"
    assert _verdict(admission, headers()) is None


def test_without_a_snapshot_nobody_is_admitted(tmp_path: Path):
    nonces = Nonces(tmp_path / "nonces.sqlite")
    admission = Admission(MINER.ss58_address, Metagraph(tmp_path / "none.json", monotonic=_ticks()), nonces)
    assert _verdict(admission, headers()) == "no_snapshot"
    write_snapshot(tmp_path).rename(tmp_path / "none.json")
    assert _verdict(admission, headers()) is None
    (tmp_path / "none.json").write_text("{")
    assert _verdict(admission, headers(age=-1)) is None, "the last good snapshot holds"


@pytest.mark.parametrize(
    ("ip", "reason"),
    [("10.0.0.2", None), ("::ffff:10.0.0.2", None), ("10.0.0.3", "source"), ("10.0.0.1", "source"), ("", "source")],
)
def test_source_addresses_are_those_that_admissible_validators_published(tmp_path: Path, ip, reason):
    config = AdmissionConfig(require_source_ip=True)
    registry = Metagraph(write_snapshot(tmp_path))
    admission = Admission(MINER.ss58_address, registry, Nonces(tmp_path / "nonces.sqlite"), config)
    assert _verdict(admission, headers(), ip) == reason


def test_the_time_out_is_the_callers_up_to_the_cap(admission: Admission):
    assert admission.admit(headers(), "", NOW_NS).timeout_seconds == 89.75
    assert admission.admit(headers(age=-1, timeout="1e9"), "", NOW_NS).timeout_seconds == 130


def _verdict(admission: Admission, sent: dict[str, str], ip: str = "10.0.0.2") -> str | None:
    try:
        admission.admit(sent, ip, NOW_NS)
    except Refusal as refusal:
        return refusal.reason
    return None


def _ticks():
    ticks = iter(range(0, 10_000, 10))
    return lambda: next(ticks)
