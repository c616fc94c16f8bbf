from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from synthcity.settings import Settings


def test_defaults_without_environment(tmp_path: Path) -> None:
    assert Settings.load({}, tmp_path / ".env") == Settings()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "# a comment = ignored\n\n"
        "export SYNTHCITY_BINANCE_URL='http://file'\n"
        'SYNTHCITY_HYPERLIQUID_URL="http://other"\n'
        "FOREIGN=1\nno assignment\n",
        encoding="utf-8",
    )
    settings = Settings.load({"SYNTHCITY_BINANCE_URL": "http://environment"}, dotenv)
    assert settings.venue_urls == {"binance": "http://environment", "hyperliquid": "http://other"}


def test_the_process_environment_and_folder_are_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SYNTHCITY_REAL_DATA=/file\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYNTHCITY_REAL_DATA", raising=False)
    assert Settings.load().real_data == "/file"
    monkeypatch.setenv("SYNTHCITY_REAL_DATA", "/process")
    assert Settings.load().real_data == "/process"


def test_settings_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().real_data = "x"  # type: ignore[misc]
