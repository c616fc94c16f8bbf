from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from synthcity.errors import BundleError, ConfigError, PublishError
from synthcity.publish import remote as module
from synthcity.publish.remote import Moved, Remote, Unknown
from synthcity.settings import Settings
from tests.publish.conftest import REPO
from tests.standins.hub import TOKEN, RunningHub


def test_files_come_and_go(remote: Remote, hub: RunningHub, tmp_path: Path) -> None:
    remote.create(private=True)
    first = remote.head()
    assert first.private
    weights = tmp_path / "weights"
    weights.write_bytes(b"weights" * 100)
    commit = remote.commit({"a/b.json": b"{}", "w.safetensors": weights}, "one [mark]", first.commit)
    assert remote.head().commit == commit == remote.commit_of("[mark]")
    assert remote.commit_of("[other]") is None
    assert remote.sizes(commit) == {".gitattributes": 25, "a/b.json": 2, "w.safetensors": 700}
    remote.download(["a/b.json", "w.safetensors"], commit, tmp_path)
    assert (tmp_path / "w.safetensors").read_bytes() == b"weights" * 100
    remote.create(private=True)  # again does nothing
    with pytest.raises(Moved):
        remote.commit({"c": b"c"}, "late", first.commit)
    assert not hub.has_seen(TOKEN)
    assert TOKEN not in repr(remote)


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("401", PublishError, "set HF_TOKEN to a token that may write"),
        ("403", PublishError, "set HF_TOKEN to a token that may write"),
        ("404", PublishError, "HF_REPO_ID names no repository that this token sees"),
        ("400", PublishError, "see what it said"),
        ("412", Moved, "it answered 412"),
        ("429", Unknown, "limits how often it is asked"),
        ("500", Unknown, "try again later"),
        ("lost", Unknown, "try again later"),
    ],
)
def test_a_failure_is_one_sentence_with_its_remedy(
    fault: str, kind: type[PublishError], said: str, remote: Remote, hub: RunningHub
) -> None:
    remote.create(private=True)
    hub.faults({"on": "GET /api/models/me/models", "what": fault, "times": 99})
    with pytest.raises(kind, match=said) as caught:
        remote.head()
    assert "\n" not in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_what_passes_is_asked_again_and_pauses_are_kept(hub: RunningHub) -> None:
    pauses: list[float] = []
    remote = Remote(repo=REPO, token=TOKEN, endpoint=hub.url, sleep=pauses.append)
    remote.create(private=True)
    hub.faults({"on": "GET /api/models/me/models$", "what": "500"}, {"on": "GET", "what": "lost"})
    assert remote.head().private
    assert pauses == [1.0, 2.0]


@pytest.mark.parametrize(
    "ask",
    [
        lambda remote: remote.create(private=True),
        lambda remote: remote.head(),
        lambda remote: remote.commit_of("[mark]"),
        lambda remote: remote.sizes("main"),
        lambda remote: remote.commit({}, "one [mark]", None),
    ],
    ids=["create", "head", "commits", "sizes", "commit"],
)
def test_a_hub_that_hangs_is_given_up(
    ask: Callable[[Remote], object], remote: Remote, hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.create(private=True)
    monkeypatch.setattr(module, "_ANSWER", 0.1)
    monkeypatch.setattr(module, "_ATTEMPTS", 1)
    monkeypatch.setattr(time, "sleep", lambda _: None)  # huggingface_hub's own pauses
    hub.faults({"on": "/api/", "what": "hang", "times": 99})
    with pytest.raises(Unknown, match=r"^cannot .*\(ReadTimeout"):
        ask(remote)


def test_nobody_is_there(free_port: int) -> None:
    remote = Remote(repo=REPO, token=TOKEN, endpoint=f"http://127.0.0.1:{free_port}", sleep=lambda _: None)
    with pytest.raises(Unknown, match="try again later"):
        remote.head()


def test_a_repository_of_too_many_files_is_not_read_to_its_end(
    remote: Remote, hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FILES", 3)
    hub.commit(REPO, "many", {f"f{at}": b"x" for at in range(5)})
    head = remote.head()
    assert head.commit is not None
    with pytest.raises(BundleError, match="holds more than 3 files"):
        remote.sizes(head.commit)


def test_a_repository_has_to_be_named() -> None:
    with pytest.raises(ConfigError, match="set HF_REPO_ID to owner/name"):
        Remote.of(Settings.load({}))
