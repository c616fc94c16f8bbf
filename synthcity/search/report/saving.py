"""A report on the disk: ``report.json``, and ``report.html`` beside it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from synthcity import strict_json
from synthcity.errors import RunError
from synthcity.files import atomic_write
from synthcity.history.row import ROW, row_of_report
from synthcity.private import environment, private_folder
from synthcity.search.report.model import SCHEMA, Report

REPORT_JSON = "report.json"
REPORT_HTML = "report.html"


def save_report(folder: Path, report: Report) -> Path:
    """Write ``report.json`` into ``folder`` and draw ``report.html`` beside it; return the page's path."""
    save_data(folder, report)
    return write_report(folder)


def save_data(folder: Path, report: Report) -> None:
    """Write ``report.json`` alone.

    The run's row for ``synthcity history`` stands first, so that ten thousand are listed without reading the rest.
    """
    row = row_of_report(report, id=report["run"]["name"]).to_dict()
    text = json.dumps({ROW: row, **report}, indent=1, ensure_ascii=False, allow_nan=False)
    _write(folder / REPORT_JSON, text)


def write_report(folder: Path) -> Path:
    """Draw ``<folder>/report.html`` from ``<folder>/report.json`` and return its path.

    Raises:
        RunError: the data is missing, damaged or of another version, or the page cannot be written.
    """
    return write_page(folder, read_report(folder))


def write_page(folder: Path, report: Report) -> Path:
    """Draw ``<folder>/report.html`` from ``report`` and return its path.

    Raises:
        RunError: the page cannot be written.
    """
    # matplotlib is loaded only when a report is drawn: it leaves files where it is first imported
    with _private_matplotlib():
        from synthcity.search.report.page import render

        page = folder / REPORT_HTML
        _write(page, render(report))
    return page


@contextlib.contextmanager
def _private_matplotlib() -> Iterator[None]:
    """Give matplotlib, which draws the report, a folder that nobody else can have planted anything in."""
    if "MPLCONFIGDIR" in os.environ:
        yield
        return
    with private_folder() as folder, environment({"MPLCONFIGDIR": str(folder)}):
        yield


def read_report(folder: Path) -> Report:
    """Read ``<folder>/report.json``.

    Raises:
        RunError: it is missing, damaged or of another version.
    """
    path = folder / REPORT_JSON
    try:
        report = strict_json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"cannot read the report data {str(path)!r}: {error}") from error
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        raise RunError(f"{str(path)!r} is no report of version {SCHEMA}; finish the run again with --resume")
    report.pop(ROW, None)
    return cast(Report, report)


def _write(path: Path, text: str) -> None:
    try:
        atomic_write(path, text)
    except OSError as error:
        raise RunError(f"cannot write {str(path)!r}: {error.strerror}") from error
