"""The vault and the miner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import validate

from synthcity.bridge.operation import Refused
from synthcity.bridge.operations.places import MinerTold
from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from synthcity.errors import ConfigError
from synthcity.serve.operations.report import LOCK, STATUS, Report, Verdict
from synthcity.vault import open_vault
from synthcity.vault.outbox import Outbox


def test_what_was_pushed_is_listed(place: Place) -> None:
    vault = operations()["vault"]
    Outbox(place.state / "outbox.jsonl").deliver(open_vault(place.vault), place.data)
    told = vault.do({"kind": "prices"}, place, "default")
    validate(told, vault.output_schema)
    assert [(one["kind"], one["files"]) for one in told["entries"]] == [("prices", 2)]
    assert vault.do({}, place, "default")["entries"] == []


def test_a_miner_is_told_as_it_told_itself(place: Place, tmp_path: Path) -> None:
    miner = operations()["miner"]
    with pytest.raises(Refused, match="start it with --miner"):
        miner.do({}, place, "default")
    with pytest.raises(ConfigError, match="no --state folder of a miner"):
        miner.do({}, replace(place, miner=tmp_path), "default")
    (tmp_path / f"{LOCK}.lock").touch()
    (tmp_path / STATUS).write_text(Report(verdict=Verdict.FINE, title="uid 7", answered={"BTC": 3}).to_json())
    told = miner.do({}, replace(place, miner=tmp_path), "default")
    validate(told, miner.output_schema)
    assert (told["verdict"], told["answered"], set(told)) == ("stopped", {"BTC": 3}, set(MinerTold.__annotations__))
