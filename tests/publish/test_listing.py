"""What was published, as rows beside those of this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.errors import DataError, PublishError
from synthcity.history.listing import DAMAGED
from synthcity.history.row import NOT_PROVEN, PROVEN
from synthcity.publish.listing import list_hub, row_of_publication
from synthcity.publish.publication import LeadFacts
from synthcity.publish.publish import Prepared, publish
from synthcity.publish.remote import Remote
from synthcity.settings import Settings
from tests.publish.conftest import REPO
from tests.standins.hub import TOKEN, RunningHub

pytestmark = pytest.mark.usefixtures("scored_once")


def test_what_was_published_is_listed(
    proven: Path, settings: Settings, remote: Remote, hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PublishError):
        list_hub(remote)  # no such repository
    remote.create(private=True)
    assert list_hub(remote).rows == ()
    made = publish(proven, settings=settings).publication
    (row,) = list_hub(remote).rows
    assert (row.id, row.name, row.verdict) == (made.folder, made.name, PROVEN)
    assert row.lead is not None
    assert row.lead.mean == made.leads[0].mean
    assert row.periods["test"][0] < row.periods["test"][1]
    for name, value in {"HF_TOKEN": TOKEN, "HF_REPO_ID": REPO, "HF_ENDPOINT": hub.url}.items():
        monkeypatch.setenv(name, value)
    answers = [CliRunner().invoke(cli, ["history", word, "--json"]) for word in ("hub", "hf")]
    assert answers[0].output == answers[1].output
    assert json.loads(answers[0].stdout)["runs"][0]["name"] == made.name
    assert TOKEN not in answers[0].output


def test_what_a_stranger_wrote_is_counted(remote: Remote) -> None:
    remote.create(private=True)
    name = f"crypto-24h/{'0' * 12}/publication.json"
    remote.commit({name: b'{"format": 99}'}, "hello", remote.head().commit)
    found = list_hub(remote)
    assert (found.rows, found.left_out) == ((), {DAMAGED: 1})


def test_a_publication_is_held_to_what_can_be(ready: Prepared) -> None:
    told = ready.publication
    assert row_of_publication(told).verdict == PROVEN
    unclear = LeadFacts(baseline="har", mean=-0.1, low=-0.3, high=0.1)
    assert row_of_publication(replace(told, leads=(*told.leads, unclear))).verdict == NOT_PROVEN
    with pytest.raises(DataError):
        row_of_publication(replace(told, leads=(replace(unclear, high=-0.2),)))
    with pytest.raises(DataError):
        row_of_publication(replace(told, leads=()))
