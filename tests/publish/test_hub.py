"""One commit, whatever goes wrong; the bundle is not scored again here (see test_publish)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from synthcity.errors import ConfigError, PublishError
from synthcity.publish import hub as module
from synthcity.publish.hub import Receipt, publish_to_hub
from synthcity.publish.publish import Prepared
from synthcity.publish.remote import Remote
from synthcity.publish.rescoring import Again
from tests.publish.conftest import REPO
from tests.standins.hub import TOKEN, RunningHub


@pytest.fixture(autouse=True)
def scored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "rescore", lambda *_, **__: Again(reason=""))
    monkeypatch.setattr(time, "sleep", lambda _: None)  # huggingface_hub's own pauses


def send(remote: Remote, ready: Prepared, **options: Any) -> Receipt:
    return publish_to_hub(remote, ready.publication, ready.files, ready.card, **options)


def ours(hub: RunningHub) -> list[dict[str, Any]]:
    return [commit for commit in hub.commits(REPO) if "[synthcity:" in commit["title"]]


def test_a_publication_is_one_private_commit_with_everything(remote: Remote, ready: Prepared, hub: RunningHub) -> None:
    receipt = send(remote, ready)
    [commit] = ours(hub)
    assert (receipt.commit, receipt.private, receipt.is_new) == (commit["id"], True, True)
    folder = ready.publication.folder
    wanted = {f"{folder}/{name}" for name in ready.publication.files} | {f"{folder}/publication.json"}
    assert set(commit["files"]) == wanted | {".gitattributes", "README.md", "latest.json"}
    again = send(remote, ready)
    assert (again.commit, again.is_new) == (receipt.commit, False)
    assert len(ours(hub)) == 1
    assert not hub.has_seen(TOKEN)


COMMIT = "POST .*/commit/main"
FAULTS: list[dict[str, object]] = [
    {"on": COMMIT, "what": "lost"},
    {"on": COMMIT, "what": "500 after"},
    {"on": COMMIT, "what": "500"},
    {"on": COMMIT, "what": "412"},
    {"on": COMMIT, "what": "409"},
    {"on": COMMIT, "what": "429"},
    {"on": COMMIT, "what": "cut"},
    {"on": "GET .*/resolve/.*config.json", "what": "other"},
    {"on": "GET .*/resolve/.*test_prompts", "what": "cut"},
    {"on": "GET .*/resolve/.*report.json", "what": "slow"},
    {"on": "GET .*/commits/main", "what": "500"},
    {"on": "POST .*/objects/batch", "what": "cut"},
    {"on": "POST /api/validate-yaml", "what": "lost"},
    {"on": "POST /api/repos/create", "what": "lost"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['what']} of {fault['on']}")
def test_a_fault_costs_time_and_no_second_commit(
    fault: dict[str, object], remote: Remote, ready: Prepared, hub: RunningHub
) -> None:
    hub.faults(fault)
    receipt = send(remote, ready)
    [commit] = ours(hub)
    assert receipt.commit == commit["id"]


def test_what_others_publish_stays(remote: Remote, ready: Prepared, hub: RunningHub) -> None:
    remote.create(private=True)
    latest = b'{"format": 1, "competitions": {"crypto-24h": "crypto-24h/0123456789ab"}}'
    hub.commit(REPO, "another", {"latest.json": latest, "other/file": b"x"}, keep=True)
    hub.faults({"on": COMMIT, "what": "412"})
    send(remote, ready)
    [commit] = ours(hub)
    assert {"other/file", "notes.txt"} <= set(commit["files"])
    name = ready.publication.folder
    head = remote.head().commit
    assert head is not None
    assert module._latest(remote, head) == {"crypto-24h": "crypto-24h/0123456789ab", "crypto-1h": name}


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"format": 1, "competitions": {"x": "../.."}}'])
def test_a_latest_that_is_none_is_written_anew(
    content: bytes, remote: Remote, ready: Prepared, hub: RunningHub
) -> None:
    remote.create(private=True)
    hub.commit(REPO, "damage", {"latest.json": content}, keep=True)
    send(remote, ready)
    assert len(ours(hub)) == 1


def test_a_commit_that_never_was_is_not_believed(remote: Remote, ready: Prepared, hub: RunningHub) -> None:
    hub.faults({"on": COMMIT, "what": "swallowed"})
    with pytest.raises(PublishError):
        send(remote, ready)


def test_a_commit_that_lacks_a_file_is_told_as_that_however_often_it_is_asked_for(
    remote: Remote, ready: Prepared, hub: RunningHub
) -> None:
    hub.faults({"on": COMMIT, "what": "missing"}, {"on": "HEAD .*/resolve/", "what": "500"})
    for _ in range(2):
        with pytest.raises(PublishError, match=r"no such file at that commit; it does not count as published: look"):
            send(remote, ready)


def test_a_file_that_comes_back_other_is_told(remote: Remote, ready: Prepared, hub: RunningHub) -> None:
    hub.faults({"on": "GET .*/resolve/.*bundle/config.json", "what": "other", "times": 9})
    with pytest.raises(PublishError, match=r"bundle/config\.json came back other than it was sent; it does not count"):
        send(remote, ready)


def test_a_bundle_that_comes_back_and_scores_otherwise_is_told(
    remote: Remote, ready: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "rescore", lambda *_, **__: Again(reason="it scores 1.0"))
    with pytest.raises(PublishError, match=r"it scores 1\.0; it does not count as published"):
        send(remote, ready)


def test_nothing_is_shown_to_everybody_unasked(remote: Remote, ready: Prepared, hub: RunningHub) -> None:
    remote.create(private=True)
    hub.publicise(REPO)
    with pytest.raises(ConfigError, match="me/models is public: everybody would see it; add --public"):
        send(remote, ready)
    assert ours(hub) == []
    assert not send(remote, ready, public=True).private


def test_a_hub_that_is_down_is_told_after_a_while(remote: Remote, ready: Prepared, hub: RunningHub) -> None:
    hub.faults({"on": COMMIT, "what": "500", "times": 99})
    with pytest.raises(PublishError, match="cannot write to me/models"):
        send(remote, ready)
    assert ours(hub) == []
