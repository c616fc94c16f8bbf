"""Runs that were told to Trackio on this machine: its SQLite file, opened for reading alone.

A run's last record holds its row (see ``search.tracking``); one without, going on or cut off, is told by its config.
Whoever logs to the same project may have written anything, so all of it is data.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from synthcity.errors import DataError, TrackerError
from synthcity.history.listing import DAMAGED, FOREIGN, NEWER, Listing, gather
from synthcity.history.row import ROW, ROW_VERSION, UNFINISHED, Row, read_row
from synthcity.strict_json import loads

_CACHE = "~/.cache/huggingface"  # as the library has it, which is not loaded for this
_LONGEST = 1 << 20  # bytes of a record
_QUERY = f"""
SELECT c.run_name, c.created_at, substr(CAST(c.config AS TEXT), 1, {_LONGEST}),
  (SELECT substr(CAST(m.metrics AS TEXT), 1, {_LONGEST}) FROM metrics AS m
   WHERE m.run_id = c.run_id ORDER BY m.id DESC LIMIT 1)
FROM configs AS c WHERE c.id IN (SELECT max(id) FROM configs GROUP BY run_name)
"""


def list_trackio(project: str) -> Listing:
    """Return all runs of a project, the newest of each name; none where there is no such project.

    Raises:
        TrackerError: the file cannot be read.
    """
    path = folder() / f"{project}.db"
    if not path.exists():
        return Listing(source="trackio", rows=())
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10.0)) as connection:
            return gather("trackio", _rows(connection))
    except sqlite3.Error as error:
        raise TrackerError(f"cannot read Trackio's {str(path)!r}: {error}; TRACKIO_DIR names its folder") from error


def folder() -> Path:
    """Return where Trackio keeps its files."""
    named = os.environ.get("TRACKIO_DIR")
    home = os.path.expanduser(os.environ.get("HF_HOME") or _CACHE)
    return Path(os.path.expanduser(named)) if named else Path(home) / "trackio"


def _rows(connection: sqlite3.Connection) -> Iterator[Row | str]:
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    for name, created, config, last in connection.execute(_QUERY):
        try:
            yield _row(str(name), str(created), str(config), str(last or "{}"))
        except (DataError, ValueError):
            yield DAMAGED


def _row(name: str, created: str, config: str, last: str) -> Row | str:
    told, record = loads(config), loads(last)
    if not isinstance(told, dict) or not isinstance(record, dict):
        raise DataError("it is no record")
    if "synthcity_run" not in told:
        return FOREIGN
    row = record.get(ROW)
    if isinstance(row, dict):
        return read_row(row, id=name) if row.get("version") == ROW_VERSION else NEWER
    data = told.get("data")
    data = data if isinstance(data, dict) else {}
    begun = {
        "name": name,
        "began": datetime.fromisoformat(created).timestamp(),
        "competition": told.get("competition", ""),
        "periods": data.get("periods"),
        "verdict": UNFINISHED,
        "winner": "",
        "trials": 0,
        "usd": 0.0,
        "is_simulated": data.get("source") == "simulated",
        "is_open": True,
    }
    return read_row(begun, id=name)
