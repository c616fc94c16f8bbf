"""`synthcity sweep`: known-good networks side by side."""

from __future__ import annotations

from typing import Any

from synthcity.search.candidates.presets import presets
from tests.cli.test_handpicked import invoke


def test_a_sweep_takes_the_presets_it_is_given_or_all(calls: list[dict[str, Any]]) -> None:
    assert invoke("sweep", "--presets", "tcn_sde, lstm_gbm,tcn_sde").exit_code == 0
    assert invoke("sweep").exit_code == 0
    assert [call["config"].search.candidates for call in calls] == [("tcn_sde", "lstm_gbm"), tuple(presets())]


def test_lists_the_presets() -> None:
    lines = invoke("sweep", "--list").stdout.splitlines()
    assert lines[0].split() == ["preset", "architecture", "what", "it", "is"]
    assert len(lines) == 1 + len(presets())
    assert lines[2].startswith("lstm_gbm ")
    assert lines[2].endswith("A recurrent reading of the last hours.")
