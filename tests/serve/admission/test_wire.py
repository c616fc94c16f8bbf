"""Headers as they are read; the whole table of refusals over HTTP is in ``test_admission``."""

from __future__ import annotations

import hashlib

import pytest

from synthcity.serve.admission.refusal import Refusal
from synthcity.serve.admission.wire import BODY_HASH, MAX_UUID_CHARACTERS, OLDEST_VERSION, read_headers
from tests.serve.dialogue import MINER, VALIDATOR, headers


def test_a_claim_is_what_the_headers_say() -> None:
    sent = headers(uuid="one", timeout="12.5")
    claim = read_headers(sent)
    assert (claim.caller, claim.receiver) == (VALIDATOR.ss58_address, MINER.ss58_address)
    assert claim.uuid == "one"
    assert claim.timeout_seconds == 12.5
    assert claim.nonce_ns == int(sent["bt_header_dendrite_nonce"])
    assert claim.signature == sent["bt_header_dendrite_signature"]


def test_what_is_signed_names_both_sides_and_the_hash_of_no_field() -> None:
    claim = read_headers(headers(uuid="one"))
    text = claim.signed_text("somebody")
    assert text == f"{claim.nonce_ns}.{VALIDATOR.ss58_address}.somebody.one.{BODY_HASH}".encode()
    assert hashlib.sha3_256().hexdigest() == BODY_HASH


@pytest.mark.parametrize(
    "changed",
    [
        {"bt_header_dendrite_uuid": "u" * MAX_UUID_CHARACTERS},
        {"bt_header_dendrite_version": str(OLDEST_VERSION)},
        {"timeout": "1e-3"},
        {"timeout": "1e300"},
    ],
)
def test_what_is_just_allowed_is_read(changed: dict[str, str]) -> None:
    read_headers({**headers(), **changed})


@pytest.mark.parametrize("name", ["name", "computed_body_hash"])
def test_headers_that_say_nothing_new_may_be_missing(name: str) -> None:
    read_headers({key: value for key, value in headers().items() if key != name})


@pytest.mark.parametrize(
    ("changed", "status", "reason", "message"),
    [
        ({"bt_header_dendrite_signature": "0x12"}, 401, "unsigned", "64 bytes"),
        ({"bt_header_axon_hotkey": "0" * 48}, 401, "unsigned", "ss58"),
        ({"bt_header_dendrite_uuid": "u" * (MAX_UUID_CHARACTERS + 1)}, 401, "unsigned", "1 to 100 visible"),
        ({"bt_header_dendrite_uuid": "a b"}, 401, "unsigned", "visible"),
        ({"bt_header_dendrite_nonce": "1" * 21}, 401, "unsigned", "whole numbers"),
        ({"bt_header_dendrite_version": str(OLDEST_VERSION - 1)}, 401, "version", f"at least {OLDEST_VERSION}"),
        ({"name": "Other"}, 400, "malformed", "must be Simulation"),
        ({"computed_body_hash": "0"}, 400, "malformed", BODY_HASH),
        ({"timeout": "1" * 41}, 400, "malformed", "positive number of seconds"),
        ({"timeout": "-1"}, 400, "malformed", "positive number of seconds"),
        ({"timeout": "inf"}, 400, "malformed", "positive number of seconds"),
    ],
)
def test_what_is_none_is_refused_with_its_status_and_word(
    changed: dict[str, str], status: int, reason: str, message: str
) -> None:
    with pytest.raises(Refusal, match=message) as caught:
        read_headers({**headers(), **changed})
    assert (caught.value.status, caught.value.reason) == (status, reason)
