"""`synthcity mcp`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synthcity.bridge import mcp
from tests.cli.test_handpicked import invoke


def test_it_serves_the_bot_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Any] = []

    async def serve(place: Any, *, bot: str) -> None:
        seen.append((place.runs, bot))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mcp, "serve_stdio", serve)
    monkeypatch.setenv("SYNTH_BOT_ID", "alpha")
    done = invoke("mcp", "--runs", "others")
    assert (done.exit_code, done.output) == (0, "")
    assert seen == [(Path("others"), "alpha")]
