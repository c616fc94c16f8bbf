"""The headers of bittensor 11 on the same route."""

from __future__ import annotations

import hashlib

import pytest
from bittensor_wallet import Keypair
from starlette.testclient import TestClient

from tests.serve.dialogue import LAYMAN, MINER, NOW, STRANGER, VALIDATOR, body

BODY = body()
NOW_NS = int(NOW * 1e9)


def signed(
    *,
    key: Keypair = VALIDATOR,
    nonce: int = NOW_NS,
    receiver: str = MINER.ss58_address,
    path: str = "/Simulation",
    content: bytes = BODY,
    **changed: str,
) -> dict[str, str]:
    """Headers as bittensor 11.3 signs them."""
    lines = ("btauth/1", "sr25519", "POST", path, hashlib.sha256(content).hexdigest())
    text = "\n".join((*lines, str(nonce), key.ss58_address, receiver))
    sent = {
        "X-Bittensor-Version": "1",
        "X-Bittensor-Hotkey": key.ss58_address,
        "X-Bittensor-Receiver": receiver,
        "X-Bittensor-Nonce": str(nonce),
        "X-Bittensor-Signature": "0x" + key.sign(text.encode()).hex(),
        "Content-Type": "application/json",
    }
    return sent | changed


def test_a_validator_of_bittensor_11_is_answered(client: TestClient):
    answer = client.post("/Simulation", content=BODY, headers=signed())
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["simulation_output"]) == 1002


REFUSED = {
    "another body": ({"content": BODY + b" "}, 401),
    "another path": ({"path": "/simulation"}, 401),
    "another receiver": ({"receiver": STRANGER.ss58_address}, 401),
    "no receiver": ({"X-Bittensor-Receiver": "-"}, 401),
    "another caller": ({"X-Bittensor-Hotkey": LAYMAN.ss58_address}, 403),
    "a stranger": ({"key": STRANGER}, 403),
    "no permit": ({"key": LAYMAN}, 403),
    "too old": ({"nonce": NOW_NS - 11 * 10**9}, 401),
    "too far ahead": ({"nonce": NOW_NS + 3 * 10**9}, 401),
    "another version": ({"X-Bittensor-Version": "2"}, 401),
    "another scheme": ({"X-Bittensor-Crypto": "ed25519"}, 401),
    "no nonce": ({"X-Bittensor-Nonce": ""}, 401),
    "unsigned": ({"X-Bittensor-Signature": ""}, 401),
}


@pytest.mark.parametrize(("change", "status"), REFUSED.values(), ids=REFUSED)
def test_is_refused(client: TestClient, change: dict, status: int):
    assert client.post("/Simulation", content=BODY, headers=signed(**change)).status_code == status


def test_each_nonce_is_good_once_in_any_order(client: TestClient):
    nonces = [NOW_NS, NOW_NS - 10**9, NOW_NS, NOW_NS - 10**9]
    statuses = [client.post("/Simulation", content=BODY, headers=signed(nonce=nonce)).status_code for nonce in nonces]
    assert statuses == [200, 200, 401, 401]
