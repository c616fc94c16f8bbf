"""Where views go: the status file keeps up, and a disk that refuses stops nothing."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import httpx
import pytest

from synthcity.serve.operations.outlets import EVERY_SECONDS, outlets
from synthcity.serve.operations.report import STATUS
from synthcity.serve.operations.view import View
from synthcity.settings import Secret
from tests.serve.dialogue import NOW
from tests.serve.operations.look import around, well


def told(state: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((state / STATUS).read_text())
    return found


def test_the_file_is_written_at_once_then_every_few_seconds_or_when_the_verdict_changes(tmp_path: Path) -> None:
    with outlets(tmp_path, 0, Secret("")) as out:
        out.show(View.of(well()))
        first = told(tmp_path)
        assert (tmp_path / STATUS).stat().st_mode & 0o777 == 0o600
        out.show(View.of(well(now=NOW + EVERY_SECONDS / 2)))
        assert told(tmp_path) == first
        out.show(View.of(well(now=NOW + EVERY_SECONDS)))
        second = told(tmp_path)
        assert second != first
        changed = well(now=NOW + EVERY_SECONDS + 1, ages={"BTC": float("inf"), "ETH": float("inf")})
        out.show(View.of(changed))
        assert told(tmp_path) != second


def test_a_clock_that_went_back_does_not_silence_the_file(tmp_path: Path) -> None:
    with outlets(tmp_path, 0, Secret("")) as out:
        out.show(View.of(well()))
        first = told(tmp_path)
        out.show(View.of(well(now=NOW - 3600)))
        assert told(tmp_path) != first


def test_metrics_show_the_latest_view_and_nothing_before_the_first(tmp_path: Path) -> None:
    with outlets(tmp_path, 0, Secret("")) as out:
        assert "clock" not in httpx.get(out.metrics, trust_env=False).text
        for offset in (0.2, 9.25):
            out.show(View.of(around(clock_offset=offset)))
        assert "9.25" in httpx.get(out.metrics, trust_env=False).text
        assert out.problem() is None


def test_a_disk_that_refuses_is_told_and_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.ERROR), outlets(tmp_path / "file", 0, Secret("")) as out:
        out.show(View.of(well()))
    assert "cannot write" in caplog.text
    assert STATUS in caplog.text
