"""The author writes a component into the folder of its work."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.nets.authored.code import AuthoredCode, forget
from synthcity.nets.authored.examples import BLOCK
from tests.search.roles.conftest import Work, says
from tests.search.roles.test_authoring import Reader


def test_the_author_writes_a_component_into_its_folder(
    let_work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthcity.search.roles.author.Sandbox", Reader)
    monkeypatch.setattr("synthcity.search.roles.author.check_isolation", lambda: None)
    earlier = {"kind": "authored", "time": 0.0, "component": "head", "name": "older", "file": "authored/older.py"}
    try:
        outcome = let_work(
            "author",
            [
                says("try_component", source="import os"),
                says("try_component", source=BLOCK),
                says("finish", summary="one"),
            ],
            [earlier],
        )
    finally:
        forget(AuthoredCode.of(BLOCK))
    refused, admitted = outcome.measured
    assert refused.startswith("authored/refused-")
    assert ".txt: refused (static): " in refused
    assert admitted == "authored/gated_average.py: the block gated_average is admitted"
    assert (tmp_path / "authored/gated_average.py").read_text() == BLOCK
    assert let_work("author", [says("finish", summary="nothing")]).measured == (
        "nothing was tried, so nothing is admitted",
    )
