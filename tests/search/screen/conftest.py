from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nobody else works, whatever else goes on here."""
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
