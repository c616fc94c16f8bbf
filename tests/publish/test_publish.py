from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import ConfigError, PublishError, RunError, TrackerError
from synthcity.publish.listing import list_hub
from synthcity.publish.publish import DESTINATIONS, check_destinations, destinations, publish
from synthcity.publish.remote import Remote
from synthcity.search.journal.journal import Journal, read_events
from synthcity.search.report.saving import read_report
from synthcity.search.tracking import replay as replaying
from synthcity.settings import Settings
from tests.publish.conftest import REPO
from tests.publish.hostile import HOSTILE
from tests.publish.proven import NAME
from tests.search.tracking.readers import trackio_says, wandb_run
from tests.standins.hub import TOKEN, RunningHub

pytestmark = pytest.mark.usefixtures("scored_once")


def published(run: Path) -> list[dict[str, object]]:
    return [dict(event) for event in read_events(run / "journal.jsonl") if event["kind"] == "published"]


def test_a_run_is_published_once_and_told_once(proven: Path, settings: Settings, hub: RunningHub) -> None:
    before = read_events(proven / "journal.jsonl")
    hub.faults({"on": "POST .*/commit/main", "what": "lost"})
    first = publish(proven, settings=settings)
    assert first.hub is not None
    assert publish(proven, settings=settings).hub == first.hub.__class__(**{**vars(first.hub), "is_new": False})
    [event] = published(proven)
    assert (event["to"], event["where"], event["commit"]) == ("hub", REPO, first.hub.commit)
    assert (event["bundle"], event["public"]) == (first.publication.bundle, False)
    assert event["clock"] == before[-1]["clock"]  # what the run took is not longer for it
    assert len([commit for commit in hub.commits(REPO) if "synthcity" in commit["title"]]) == 1
    for path in proven.rglob("*"):
        assert path.is_dir() or TOKEN.encode() not in path.read_bytes()


def test_a_lie_reaches_nobody(proven: Path, settings: Settings, hub: RunningHub) -> None:
    HOSTILE["edited verdict"][0](proven)
    with pytest.raises(RunError, match=r"not published: the journal of .* is not what was sealed"):
        publish(proven, settings=settings)
    assert hub.asked() == []
    assert published(proven) == []


def test_a_hub_that_fails_leaves_no_word_of_it(proven: Path, settings: Settings, hub: RunningHub) -> None:
    hub.faults({"on": "POST /api/repos/create", "what": "403"}, {"on": "GET /api/models", "what": "404", "times": 9})
    with pytest.raises(PublishError, match="HF_TOKEN"):
        publish(proven, settings=settings)
    assert published(proven) == []


def test_a_run_in_use_is_left_alone(proven: Path, settings: Settings) -> None:
    with Journal(proven), pytest.raises(RunError, match="another process writes to"):
        publish(proven, settings=settings)


def test_to_a_vault(proven: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from synthcity.vault import opening
    from synthcity.vault.folder import FolderVault

    monkeypatch.setattr(opening, "open_vault", lambda *_, **__: FolderVault(str(tmp_path / "vault")))
    found = publish(proven, ["hippius"], settings=Settings.load({"HIPPIUS_BUCKET": "mine"}))
    assert found.vault
    [event] = published(proven)
    assert (event["to"], event["where"], event["commit"]) == ("hippius", "mine", found.vault)
    again = [publish(proven, ["hippius"], settings=Settings.load({"HIPPIUS_BUCKET": "mine"})).vault for _ in range(2)]
    assert again[0] == again[1]  # with the word of it, and then nothing new
    assert published(proven) == [event]
    assert len(list((tmp_path / "vault").rglob("index.json"))) == 2


@pytest.mark.slow
def test_to_everywhere_in_one_go_and_each_gives_it_back_by_its_own_means(
    proven: Path, settings: Settings, hub: RunningHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from synthcity.vault import find, opening, pull
    from synthcity.vault.folder import FolderVault

    vault = FolderVault(tmp_path / "vault")
    monkeypatch.setattr(opening, "open_vault", lambda *_, **__: vault)
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    done = publish(proven, DESTINATIONS, settings=replace(settings, hippius_bucket="mine"))
    verdict, curve = done.publication.verdict, f"curve/{NAME}"

    assert done.hub is not None
    assert list_hub(Remote.of(settings)).rows[0].verdict == "proven"
    pull(vault, find(vault, done.vault), tmp_path / "back")
    assert read_report(tmp_path / "back") == read_report(proven)
    wandb, _ = done.tracked
    logged, summary = wandb_run(Path(wandb.where))
    assert (summary["result/verdict"], len(logged[curve])) == (verdict, 1)
    assert trackio_says("list", "runs")["runs"] == ["proven"]
    [told] = trackio_says("get", "metric", "--run", "proven", "--metric", "result/verdict")["values"]
    assert told["value"] == verdict
    assert [event["to"] for event in published(proven)] == ["hub", "hippius"]

    again = publish(proven, DESTINATIONS, settings=replace(settings, hippius_bucket="mine"))
    assert [again.hub.is_new if again.hub else None, *(one.is_new for one in again.tracked)] == [False, False, False]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in written if TOKEN.encode() in path.read_bytes()]


@pytest.mark.parametrize("failing", ["wandb", "trackio"])
def test_a_tracker_that_fails_is_told_and_costs_nothing_that_is_there(
    failing: str, proven: Path, settings: Settings, hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Feed:
        def __init__(self, name: str, environ: dict[str, str], past: Iterator[Any]) -> None:
            self.name, self.where = name, "" if name == failing else "there"
            assert any("result/verdict" in record.get("values", {}) for record in past)

        def close(self) -> list[str]:
            return [f"{self.name} fills its disk"] if self.name == failing else []

    monkeypatch.setattr(replaying, "Feed", Feed)
    with pytest.raises(TrackerError, match=f"{failing} fills its disk"):
        publish(proven, ["hub", "wandb", "trackio"], settings=settings)
    assert [event["to"] for event in published(proven)] == ["hub"]
    failing = ""
    found = publish(proven, ["hub", "wandb", "trackio"], settings=settings)
    assert found.hub is not None
    assert [found.hub.is_new, *(one.where for one in found.tracked)] == [False, "there", "there"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("hub,hipius", "unknown destination 'hipius'; did you mean 'hippius'"), (" ,", "--to names where")],
)
def test_a_destination_that_is_none_is_told(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        destinations(text)


def test_what_is_missing_is_told_before_anything_is_examined(tmp_path: Path) -> None:
    for environ, said in (
        ({}, "HF_REPO_ID"),
        ({"HF_REPO_ID": REPO}, "HF_TOKEN is not set"),
    ):
        with pytest.raises(ConfigError, match=said):
            check_destinations(["hub"], Settings.load(environ, tmp_path / "none"))
    with pytest.raises(ConfigError, match="HIPPIUS_BUCKET"):
        check_destinations(["hippius"], Settings.load({}, tmp_path / "none"))
    assert json.dumps(destinations("hub, hub,hippius")) == '["hub", "hippius"]'
