"""`synthcity bridge`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synthcity.bridge import server
from synthcity.cli import bridge as cli
from synthcity.errors import ConfigError
from tests.cli.test_handpicked import invoke


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BRIDGE_API_KEY", raising=False)
    monkeypatch.setattr(
        server, "serve", lambda place, key, **options: seen.append({"place": place, "key": key, **options})
    )
    return seen


def test_it_says_where_the_key_is_and_not_what(served: list[dict[str, Any]]) -> None:
    done = invoke("bridge", "--port", "0", "--state", "mine")
    assert done.exit_code == 0, done.output
    assert done.output == "the key of all that writes: mine/key\n"
    assert served[0]["key"].reveal() == Path("mine/key").read_text().strip()
    assert (served[0]["host"], served[0]["place"].runs) == ("127.0.0.1", Path("runs"))


def test_elsewhere_than_the_loopback_it_wants_a_key_that_was_chosen(
    served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = invoke("bridge", "--host", "0.0.0.0")
    assert isinstance(done.exception, ConfigError)
    assert "set BRIDGE_API_KEY" in str(done.exception)
    monkeypatch.setenv("BRIDGE_API_KEY", "long-enough-for-a-key")
    assert invoke("bridge", "--host", "0.0.0.0").exit_code == 0
    assert not Path("bridge").exists()


def test_a_missing_extra_is_one_sentence(served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_EXTRA", ("nowhere_to_be_found",))
    for command in ("bridge", "mcp"):
        done = invoke(command)
        assert isinstance(done.exception, ConfigError)
        assert "needs nowhere_to_be_found; pip install 'synth-city[bridge]'" in str(done.exception)


def test_the_skill_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    done = invoke("bridge", "skill", str(tmp_path / "skills"))
    assert (done.exit_code, done.output) == (0, f"{tmp_path / 'skills' / 'synthcity'}\n")
    assert (tmp_path / "skills" / "synthcity" / "SKILL.md").is_file()
