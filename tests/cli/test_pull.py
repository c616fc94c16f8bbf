from __future__ import annotations

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.errors import ConfigError, PublishError
from synthcity.publish import remote


def test_what_is_no_repository_is_one_sentence() -> None:
    found = CliRunner().invoke(cli, ["pull", "models"]).exception
    assert isinstance(found, ConfigError)
    assert "write owner/name" in str(found)


def test_a_hub_that_is_away_is_one_sentence_and_ends_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_ATTEMPTS", 1)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    found = CliRunner().invoke(cli, ["pull", "me/models"]).exception
    assert isinstance(found, PublishError)
    assert found.exit_code == 3
    assert "try again later" in str(found)
