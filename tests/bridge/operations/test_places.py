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
from synthcity.publish.remote import Remote
from synthcity.serve.operations.report import LOCK, STATUS, Report, Verdict
from synthcity.settings import Settings
from synthcity.vault import open_vault
from synthcity.vault.outbox import Outbox
from tests.standins.hub import TOKEN, running_hub


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


def test_the_card_of_the_repository_is_shown(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    card = operations()["model_card"]
    with running_hub() as hub:
        for name, value in {"HF_TOKEN": TOKEN, "HF_REPO_ID": "me/models", "HF_ENDPOINT": hub.url}.items():
            monkeypatch.setenv(name, value)
        remote = Remote.of(Settings.load())
        remote.create(private=True)
        with pytest.raises(Refused, match="me/models has no model card yet"):
            card.do({}, place, "default")
        text = "---\nlibrary_name: synthcity\n---\n# proven\n"
        commit = remote.commit({"README.md": text.encode()}, "a card", remote.head().commit)
        told = card.do({}, place, "default")
    validate(told, card.output_schema)
    assert told == {"repo": "me/models", "commit": commit, "card": text}
    assert TOKEN not in str(told)
