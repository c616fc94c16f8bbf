"""`synthcity refit`: what it asks of a renewal, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synthcity.forecast.baselines import Fhs
from synthcity.forecast.bundles.facts import Facts
from synthcity.search import renewal
from tests.cli.test_handpicked import invoke


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    Fhs().save(tmp_path / "winner")
    return tmp_path / "winner"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    made: list[tuple[Any, ...]] = []

    def renew(bundle: Path, data: str, folder: Path, **options: Any) -> Facts:
        made.append((bundle, data, folder, options["until"]))
        return Facts(refit_of="0123456789abcdef")

    monkeypatch.setattr(renewal, "renew", renew)
    return made


def test_the_new_bundle_stands_beside_the_old_one(bundle: Path, calls: list[Any]) -> None:
    result = invoke("refit", str(bundle), "--data", "prices", "--until", "2025-11-01")
    assert result.exit_code == 0
    assert calls == [(bundle, "prices", bundle.with_name("winner-refit"), 1_761_955_200)]
    assert "REFITTED from bundle 0123456789ab without a verdict" in result.output
    assert invoke("refit", str(bundle), "--data", "prices", "--until", "now").exit_code == 0
    assert calls[1][3] is None


def test_refuses_what_would_take_a_place(bundle: Path, calls: list[Any], tmp_path: Path) -> None:
    Fhs().save(tmp_path / "live")
    for arguments, sentence in (
        (["--to", str(tmp_path / "live")], "is a bundle already"),
        (["--to", str(bundle), "--replace"], "is the bundle itself"),
        (["--until", "2025-02-30"], "is no time; write e.g. 2025-11-01"),
        (["--workers", "0"], "0 is not in the range"),
    ):
        result = invoke("refit", str(bundle), "--data", "prices", *arguments)
        assert result.exit_code != 0
        assert sentence in str(result.exception or "") + result.output.replace("\n", " ")
    assert calls == []
    assert invoke("refit", str(bundle), "--data", "p", "--to", str(tmp_path / "live"), "--replace").exit_code == 0


def test_a_baseline_needs_no_refit(bundle: Path, tmp_path: Path) -> None:
    result = invoke("refit", str(bundle), "--data", str(tmp_path))
    assert "holds no network" in str(result.exception)
