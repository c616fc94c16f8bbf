from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from synthcity.agents.messages import Spend
from synthcity.agents.transcript import Lines, spent
from synthcity.errors import RunError


def test_lines_are_kept_and_a_torn_one_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "llm.jsonl"
    lines = Lines(path)
    assert lines.read() == []
    lines.append({"a": 1})
    with path.open("ab") as file:
        file.write(b'{"torn": ')
    again = pickle.loads(pickle.dumps(Lines(path)))
    assert again.read() == [{"a": 1}]
    again.append({"b": "ü"})
    assert path.read_text(encoding="utf-8") == '{"a":1}\n{"b":"ü"}\n'


def test_a_damaged_line_and_a_full_disk_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "llm.jsonl"
    path.write_bytes(b'{"a":1}\nnonsense\n[1]\n')
    with pytest.raises(RunError, match=r"llm\.jsonl is damaged at line 2"):
        Lines(path).read()
    with pytest.raises(RunError, match="cannot read"):
        Lines(tmp_path).read()
    with pytest.raises(RunError, match="cannot write"):
        Lines(path / "below").append({})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"cannot write .*: No space left on device"):
        Lines(path).append({})


def test_what_was_spent_counts_every_attempt_and_the_unknown_at_its_worst() -> None:
    def request(call: int, attempt: int, account: str = "p") -> dict[str, Any]:
        return {"kind": "request", "call": call, "attempt": attempt, "account": account, "worst": {"usd": 1.0}}

    events = [
        {"kind": "models", "models": []},
        request(0, 1),
        {"kind": "failure", "call": 0, "attempt": 1, "account": "p", "spend": {"usd": 0.25}},
        request(0, 2),
        {"kind": "reply", "call": 0, "attempt": 2, "account": "p", "spend": {"usd": 0.125}},
        request(1, 1, "q"),  # killed here
        {"kind": "reply", "call": 2, "account": "q", "spend": {"usd": 0.5}},  # replayed
        {"kind": "gave_up", "call": 3},
    ]
    assert spent(events) == {"p": Spend(usd=0.375), "q": Spend(usd=1.5)}
