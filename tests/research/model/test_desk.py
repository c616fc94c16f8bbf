"""What no model can mend is told to whoever began the research."""

from __future__ import annotations

import pytest

from synthcity.agents.tools import Toolset
from synthcity.authored.locked.lock import NotIsolated
from synthcity.errors import Fatal, RunError
from synthcity.research.model.desk import Desk
from tests.research.conftest import WAVE
from tests.research.model.conftest import call


@pytest.mark.parametrize("error", [NotIsolated("the process has ended"), RunError("the disk is full")])
def test_what_no_model_can_mend_ends_its_work(
    desk: Desk, tools: Toolset, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(desk.bench, "test", fail)
    monkeypatch.setattr(desk.bench.book, "add", fail)
    with pytest.raises(Fatal, match=str(error)):
        call(tools, "test_input", source=WAVE, hypothesis="something comes every seven hours")
    with pytest.raises(Fatal, match=str(error)):
        call(tools, "look_residuals", by=["hour"])
