"""Runs that were told to Trackio; ``tests.search.tracking.test_replay`` has the library itself write some."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import TrackerError
from synthcity.history.listing import DAMAGED, FOREIGN, NEWER
from synthcity.history.row import UNFINISHED
from synthcity.history.trackio import folder, list_trackio
from tests.history.builders import row

OURS = {"synthcity_run": "abc", "competition": "crypto-1h", "data": {"source": "store"}}
Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    connection = sqlite3.connect(tmp_path / "p.db")
    connection.execute("CREATE TABLE metrics (id INTEGER PRIMARY KEY, run_id TEXT, run_name TEXT, metrics TEXT)")
    connection.execute("CREATE TABLE configs (id INTEGER PRIMARY KEY, run_id, run_name, config, created_at)")
    runs: list[str] = []

    def tell(name: str, config: Any, *records: Any) -> None:
        runs.append(name)
        told = config if isinstance(config, str | bytes) else json.dumps(config).encode()
        line = (str(len(runs)), name, told, "2025-10-10T08:53:20+00:00")
        connection.execute("INSERT INTO configs (run_id, run_name, config, created_at) VALUES (?, ?, ?, ?)", line)
        for record in records:
            each = (str(len(runs)), name, record if isinstance(record, str) else json.dumps(record).encode())
            connection.execute("INSERT INTO metrics (run_id, run_name, metrics) VALUES (?, ?, ?)", each)
        connection.commit()

    return tell


def test_a_finished_run_is_its_row_and_one_that_goes_on_is_told_by_its_config(write: Write) -> None:
    write("done", OURS, {"rung/score": 1.0}, {"x": 1, "row": row("sweep", -0.4).to_dict()})
    write("open", OURS, {"rung/score": 1.0})
    done, going = list_trackio("p").rows
    assert (done.id, done.name, done.lead) == ("done", "sweep", row("sweep", -0.4).lead)
    assert (going.verdict, going.is_open, going.competition, going.began) == (UNFINISHED, True, "crypto-1h", 1760086400)


def test_of_a_name_the_newest_counts(write: Write) -> None:
    write("sweep", OURS, {"row": row("sweep", -0.4).to_dict()})
    write("sweep", OURS, {"row": row("sweep", -0.9).to_dict()})
    (found,) = list_trackio("p").rows
    assert found.lead == row("sweep", -0.9).lead


def test_what_others_logged_is_counted_and_hides_nothing(write: Write) -> None:
    write("good", OURS, {"row": row("good").to_dict()})
    write("theirs", {"lr": 0.1}, {"loss": 1.0})
    write("later", OURS, {"row": {**row("x").to_dict(), "version": 99}})
    bad = ((OURS, "[" * 9_000), (OURS, '{"row": NaN}'), ("\x00", {}), (OURS, "[]"), (b"\xff", {}))
    for number, (config, record) in enumerate(bad):
        write(f"bad {number}", config, record)
    write("liar", OURS, {"row": {**row("x").to_dict(), "usd": "free"}})
    found = list_trackio("p")
    assert [row.id for row in found.rows] == ["good"]
    assert found.left_out == {FOREIGN: 1, NEWER: 1, DAMAGED: 6}


def test_it_is_only_read(write: Write, tmp_path: Path) -> None:
    write("good", OURS)
    before = (tmp_path / "p.db").read_bytes()
    list_trackio("p")
    assert (tmp_path / "p.db").read_bytes() == before
    assert list_trackio("other").rows == ()
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize("content", [b"no database", b""])
def test_a_file_that_is_none_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    (tmp_path / "p.db").write_bytes(content)
    with pytest.raises(TrackerError, match=r"cannot read Trackio's '.*p\.db': .*TRACKIO_DIR"):
        list_trackio("p")


def test_its_folder_is_that_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACKIO_DIR", raising=False)
    monkeypatch.setenv("HF_HOME", "/cache/hf")
    assert folder() == Path("/cache/hf/trackio")
    monkeypatch.delenv("HF_HOME")
    assert folder() == Path("~/.cache/huggingface/trackio").expanduser()
