"""Runs in a folder of this machine."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import RunError
from synthcity.history.listing import DAMAGED, FOREIGN, NEWER
from synthcity.history.local import JOURNAL, JOURNAL_VERSION, REPORT, list_local, row_of_run
from synthcity.history.row import NOT_PROVEN, PROVEN, UNFINISHED, row_of_report
from synthcity.search.journal.events import VERSION
from synthcity.search.journal.journal import JOURNAL as JOURNAL_OF_SEARCH
from synthcity.search.report.saving import REPORT_JSON, save_data
from tests.history.builders import BEGIN, report, started, write_run
from tests.search.sample_run import sample_report


def test_names_and_version_are_those_of_a_search() -> None:
    assert (JOURNAL, REPORT, JOURNAL_VERSION) == (JOURNAL_OF_SEARCH, REPORT_JSON, VERSION)


def test_a_run_of_a_search_is_read_from_the_head_of_its_report(tmp_path: Path) -> None:
    whole = sample_report(diagnostics=None, groups=None)
    save_data(tmp_path / "run", whole)
    write_run(tmp_path / "run")
    assert row_of_run(tmp_path / "run") == row_of_report(whole, id="run")
    text = (tmp_path / "run" / REPORT).read_bytes()
    (tmp_path / "run" / REPORT).write_bytes(text[:4_000])  # the rest is never looked at
    assert row_of_run(tmp_path / "run") == row_of_report(whole, id="run")


def test_a_report_of_before_there_were_rows_is_read_whole(tmp_path: Path) -> None:
    write_run(tmp_path / "old", report())
    assert row_of_run(tmp_path / "old") == row_of_report(report(), id="old")


def test_what_changes_on_the_disk_changes_in_the_list(tmp_path: Path) -> None:
    def verdicts() -> list[str]:
        return [found.verdict for found in list_local(tmp_path).rows]

    write_run(tmp_path / "run", events=[started()])
    assert verdicts() == [UNFINISHED]
    write_run(tmp_path / "run", report())
    assert verdicts() == [PROVEN]
    before = (tmp_path / "run" / REPORT).stat()
    again = report(verdict={**report()["verdict"], "proven": False})
    (tmp_path / "run" / REPORT).write_text(json.dumps(again, indent=1))
    os.utime(tmp_path / "run" / REPORT, ns=(before.st_atime_ns, before.st_mtime_ns))  # no time is trusted
    assert verdicts() == [NOT_PROVEN]


def test_a_run_that_goes_on_after_its_report_says_so(tmp_path: Path) -> None:
    write_run(tmp_path / "run", report())
    assert not row_of_run(tmp_path / "run").is_open
    write_run(tmp_path / "run", events=[{"kind": "run_extended", "trials": 80, "looks": 1, "time": BEGIN}])
    assert row_of_run(tmp_path / "run").is_open
    (tmp_path / "run" / JOURNAL).unlink()
    assert not row_of_run(tmp_path / "run").is_open


def test_a_run_without_a_report_is_counted_from_its_journal(tmp_path: Path) -> None:
    events = [started(), *({"kind": "candidate", "id": f"c{n}", "time": 1.0} for n in range(3))]
    events += [{"kind": "answered", "usd": 0.25, "time": 1.0}, {"kind": "answered", "usd": None, "time": 1.0}]
    events += [{"kind": "researched", "usd": 0.5, "time": 1.0}]
    found = row_of_run(write_run(tmp_path / "run", events=events))
    assert (found.verdict, found.trials, found.usd, found.competition) == (UNFINISHED, 3, 0.75, "crypto-1h")
    assert found.periods == {"test": ("2025-11-01", "2026-01-01")}
    assert found.is_open


def test_a_finished_run_whose_report_is_lost_or_damaged_is_told_from_its_journal(tmp_path: Path) -> None:
    verdict = {"kind": "verdict", "proven": True, "winner": "c0001", "time": 2.0}
    over = {"kind": "run_finished", "winner": "c0001", "time": 3.0}
    folder = write_run(tmp_path / "run", events=[started(), verdict, over])
    found = row_of_run(folder)
    assert (found.verdict, found.winner, found.lead, found.is_open) == (PROVEN, "c0001", None, False)
    assert list_local(tmp_path).rows == (found,)
    (folder / REPORT).write_text('{\n "row": {"version": 1, "usd": NaN}}')
    assert row_of_run(folder) == found
    assert list_local(tmp_path).left_out == {DAMAGED: 1}, "in a long list damage is told, not worked around"
    write_run(folder, events=[{"kind": "run_extended", "trials": 80, "looks": 1, "time": 4.0}])
    assert (row_of_run(folder).verdict, row_of_run(folder).is_open) == (UNFINISHED, True)


def test_other_folders_and_files_hide_nothing(tmp_path: Path) -> None:
    write_run(tmp_path / "good", report())
    (tmp_path / "empty").mkdir()
    (tmp_path / ".cache").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    write_run(tmp_path / "torn", {"schema": 4})
    write_run(tmp_path / "newer", events=[started(version=JOURNAL_VERSION + 1)])
    write_run(tmp_path / "later").joinpath(REPORT).write_text('{\n "row": {"version": 99, "id": 3}}')
    found = list_local(tmp_path)
    assert [row.id for row in found.rows] == ["good"]
    assert found.left_out == {FOREIGN: 1, DAMAGED: 1, NEWER: 2}


HOSTILE: list[tuple[str, bytes]] = [
    (REPORT, b"[" * 100_000),
    (REPORT, b'{\n "row": {"version": 1, "usd": NaN}}'),
    (REPORT, b'{\n "row": {"version": 1, "usd": 1e999}}'),
    (REPORT, b'{\n "row": ' + b"[" * 8_000),
    (REPORT, b'{\n "row": {"version": 1, "name": "' + b"n" * 20_000),
    (REPORT, b"\xff\xfe"),
    (JOURNAL, b'{"kind":"run_started","time":NaN}\n'),
    (JOURNAL, b'{"kind":"run_started"' + b" " * 8_000_000),
    (JOURNAL, b'{"kind":"run_started","time":1,"config":' + b"[" * 100_000 + b"\n"),
    (JOURNAL, b"\0" * 1_000 + b"\n"),
]


@pytest.mark.parametrize(("name", "content"), HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_file_is_left_out_and_hides_no_other(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / name).write_bytes(content)
    write_run(tmp_path / "good", report())
    found = list_local(tmp_path)
    assert [row.id for row in found.rows] == ["good"]
    assert sum(found.left_out.values()) == 1


def test_a_long_journal_of_a_stranger_is_counted_and_not_kept(tmp_path: Path) -> None:
    event: dict[str, Any] = {"kind": "candidate", "id": "c0", "time": 1.0, "config": "x" * 4_000}
    write_run(tmp_path / "run", events=[started(name="\x1b[31mred")])
    line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
    with open(tmp_path / "run" / JOURNAL, "ab") as file:
        file.write(line * 2_000)  # 8 MB
    found = row_of_run(tmp_path / "run")
    assert (found.trials, found.name) == (2_000, "?[31mred")


def test_a_run_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match=r"empty' cannot be read: it is foreign"):
        row_of_run(tmp_path / "empty")


def test_no_folder_holds_no_runs_and_a_file_is_refused(tmp_path: Path) -> None:
    assert list_local(tmp_path / "none").rows == ()
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot read the runs"):
        list_local(tmp_path / "file")
