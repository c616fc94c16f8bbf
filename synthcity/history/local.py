"""Runs in a folder of this machine, as their own files tell them.

A finished run is read from the first few kilobytes of its ``report.json``, whose ``row`` was written with it and so is
never out of date; the end of the journal says whether the run goes on. A run without a report is told from its
journal's lines, most of which are looked at for their kind alone: it may be large, damaged or a stranger's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from synthcity.errors import DataError, RunError
from synthcity.history.listing import DAMAGED, FOREIGN, NEWER, Listing, gather
from synthcity.history.row import NOT_PROVEN, PROVEN, ROW, ROW_VERSION, UNFINISHED, Row, read_row, row_of_report
from synthcity.strict_json import decoder, loads

JOURNAL, REPORT = "journal.jsonl", "report.json"  # as a search writes them
JOURNAL_VERSION = 3  # the newest that is understood here
_HEAD, _TAIL = 8_192, 2_048  # bytes
_LARGEST = 64 << 20  # bytes of a file that is read whole
_ROW = f'"{ROW}": '.encode()
_STARTED, _RESUMED = b'{"kind":"run_started"', b'{"kind":"run_resumed"'
_OVER = (b'{"kind":"run_finished"', b'{"kind":"published"')  # what comes after the end, nothing going on
_VERDICT, _EXTENDED = b'{"kind":"verdict"', b'{"kind":"run_extended"'
_TRIAL, _SPENT = b'{"kind":"candidate"', b'{"kind":"spent"'
_PAID = (b'{"kind":"answered"', b'{"kind":"researched"')
_DECODER = decoder()


def list_local(folder: Path) -> Listing:
    """Return all runs whose folders lie in ``folder``; none where it is not there.

    Raises:
        RunError: it cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise RunError(f"cannot read the runs in {str(folder)!r}: {error.strerror or error}") from error
    return gather("local", (_entry(f"{os.fspath(folder)}/{name}", name) for name in names))


def row_of_run(folder: Path) -> Row:
    """Return the row of one run.

    Raises:
        RunError: it is none, is damaged, or was written by a newer synthcity.
    """
    found = _entry(os.fspath(folder), folder.name)
    if found == DAMAGED:  # its report may be, and its journal sound
        with suppress(DataError, OSError, ValueError, RecursionError):
            found = _of_journal(os.fspath(folder / JOURNAL), folder.name)
    if isinstance(found, str):
        raise RunError(f"the run in {str(folder)!r} cannot be read: it is {found}")
    return found


def _entry(folder: str, name: str) -> Row | str:
    """Return the row of a folder, or why it is none."""
    try:
        row = _of_report(f"{folder}/{REPORT}", name)
        if row is None:
            return _of_journal(f"{folder}/{JOURNAL}", name)
        return row if isinstance(row, str) or _is_over(f"{folder}/{JOURNAL}") else replace(row, is_open=True)
    except FileNotFoundError:
        return FOREIGN
    except (DataError, OSError, ValueError, RecursionError):
        return DAMAGED


def _of_report(path: str, name: str) -> Row | str | None:
    """Return None where there is no report yet."""
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed below; a missing one is told apart from a missing journal
    except FileNotFoundError:
        return None
    with file:
        head = file.read(_HEAD)
        begin = head.find(_ROW, 0, 16)
        if begin >= 0:
            told, _ = _DECODER.raw_decode(head[begin + len(_ROW) :].decode("utf-8", "ignore"))
            if isinstance(told, dict) and told.get("version") != ROW_VERSION:
                return NEWER
            return read_row(told, id=name)
        whole = head + file.read(_LARGEST)  # of before rows were written
    report = loads(whole)
    if not isinstance(report, dict):
        raise DataError("it is no report")
    return row_of_report(report, id=name)


def _is_over(journal: str) -> bool:
    """Whether the last line is one of a run that is over; without a journal nothing can go on."""
    try:
        with open(journal, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            lines = file.read().rsplit(b"\n", 2)
    except FileNotFoundError:
        return True
    return len(lines) > 1 and lines[-2].startswith(_OVER) and not lines[-1]


def _of_journal(path: str, name: str) -> Row | str:
    """Return the row of a run without a report: what it is, how many candidates it has and what they cost."""
    started: Mapping[str, object] | None = None
    verdict: Mapping[str, object] = {}
    trials, usd, num_lines, is_open = 0, 0.0, 0, True
    spent: float | None = None  # by the ledger of the session's cluster
    for line in _lines(path):
        num_lines, is_open = num_lines + 1, not line.startswith(_OVER)
        if line.startswith((_STARTED, _RESUMED)):
            spent = None
            started = started or (_event(line) if line.startswith(_STARTED) else None)
        elif line.startswith(_TRIAL):
            trials += 1
        elif line.startswith(_VERDICT):
            verdict = _event(line)
        elif line.startswith(_EXTENDED):
            verdict = {}
        elif line.startswith(_PAID) and isinstance(paid := _event(line).get("usd"), int | float):
            usd += paid
        elif line.startswith(_SPENT) and isinstance(told_usd := _event(line).get("cluster_usd"), int | float):
            usd, spent = usd + told_usd - (told_usd if spent is None else spent), told_usd
    if started is None:
        return DAMAGED if num_lines else FOREIGN
    version, config = started.get("version", 1), started.get("config")
    if isinstance(version, int) and version > JOURNAL_VERSION:
        return NEWER
    data = config.get("data") if isinstance(config, Mapping) else None
    data = data if isinstance(data, Mapping) else {}
    told = {
        "name": started.get("name", name),
        "began": started.get("time"),
        "competition": started.get("competition", ""),
        "periods": data.get("periods"),
        "verdict": UNFINISHED if not verdict else PROVEN if verdict.get("proven") is True else NOT_PROVEN,
        "winner": verdict.get("winner", ""),
        "trials": trials,
        "usd": usd,
        "is_simulated": data.get("source") == "simulated",
        "is_open": is_open,
    }
    return read_row(told, id=name)


def _lines(path: str) -> Iterator[bytes]:
    """Yield the whole lines of a file, as far as one is read."""
    with open(path, "rb") as file:
        while file.tell() < _LARGEST and (line := file.readline(_LARGEST)).endswith(b"\n"):
            yield line


def _event(line: bytes) -> Mapping[str, object]:
    event = loads(line)
    if not isinstance(event, dict):
        raise DataError("a line is no event")
    return event
