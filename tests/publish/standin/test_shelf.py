"""The stand-in for the Hub: the same publication goes there whole, once, and nothing real does."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError, PublishError, RunError
from synthcity.publish.publish import publish
from synthcity.publish.remote import Moved
from synthcity.publish.standin.shelf import MARK, Shelf
from synthcity.settings import Settings
from tests.publish.proven import make_run

SETTINGS = Settings.load({})


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    found = Shelf(folder=tmp_path / "hub")
    found.create(private=True)
    return found


def test_files_come_and_go_and_what_was_written_stays(shelf: Shelf, tmp_path: Path) -> None:
    assert shelf.head().commit is None
    first = shelf.commit({"a/b.json": b"{}"}, "one [mark]", None)
    second = shelf.commit({"c": b"c"}, "two", first)
    assert (shelf.head().commit, shelf.commit_of("[mark]"), shelf.commit_of("[other]")) == (second, first, None)
    assert (shelf.sizes(first), shelf.sizes(second)) == ({"a/b.json": 2}, {"a/b.json": 2, "c": 1})
    shelf.download(["a/b.json"], second, tmp_path / "back")
    assert (tmp_path / "back/a/b.json").read_bytes() == b"{}"
    with pytest.raises(Moved):
        shelf.commit({"d": b"d"}, "late", first)
    with pytest.raises(PublishError, match="has no d; put it back"):
        shelf.download(["d"], second, tmp_path)
    with pytest.raises(PublishError, match="has no commit"):
        shelf.sizes("000009-none")


def test_a_title_without_its_commit_is_none(shelf: Shelf) -> None:
    """A kill comes between the two."""
    (shelf.folder / "titles").mkdir()
    (shelf.folder / "titles/000000-abc.txt").write_text("one [mark]")
    assert shelf.commit_of("[mark]") is None
    shelf.commit({"a": b"a"}, "one [mark]", None)


def test_a_disk_that_refuses_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "hub").write_text("a file")
    with pytest.raises(PublishError, match=r"cannot write to .*; mend it"):
        Shelf(folder=tmp_path / "hub").create(private=True)


def test_a_rehearsal_passes_at_the_stand_in_alone(shelf: Shelf, tmp_path: Path, scored_once: None) -> None:
    run = make_run(tmp_path / "runs" / "made-up", venue="simulated")
    done = publish(run, settings=SETTINGS, hub=shelf)
    assert done.hub is not None
    assert (done.hub.repo, done.hub.is_new) == (f"{MARK}/hub", True)
    again = publish(run, settings=SETTINGS, hub=shelf)
    assert again.hub is not None
    assert (again.hub.commit, again.hub.is_new) == (done.hub.commit, False)
    card = (shelf.folder / "commits" / done.hub.commit / "README.md").read_text()
    assert "**REHEARSAL: " in card
    real = Settings.load({"HF_TOKEN": "hf_token", "HF_REPO_ID": "me/models", "HF_ENDPOINT": "http://127.0.0.1:9"})
    with pytest.raises(RunError, match="SIMULATED prices"):
        publish(run, settings=real)
    with pytest.raises(ConfigError, match="a rehearsal goes nowhere else"):
        publish(run, ("hub", "hippius"), settings=SETTINGS, hub=shelf)


def test_nothing_real_goes_to_the_stand_in(shelf: Shelf, proven: Path) -> None:
    with pytest.raises(RunError, match="it is no rehearsal: it was searched on prices of binance, store"):
        publish(proven, settings=SETTINGS, hub=shelf)
    assert shelf.head().commit is None
