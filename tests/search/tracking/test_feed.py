"""A tracker's process as the search sees it, with stand-ins that keep, lag, hang and fail."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from synthcity.search.tracking.feed import MOST_WAITING, Feed
from synthcity.search.tracking.sinks.sink import EndTold, LogTold

END = EndTold(what="end", values={})
KEEPS = """
import json, sys
with open({path!r}, "w") as kept:
    for line in sys.stdin:
        print(line, end="", file=kept, flush=True)
        print(json.dumps({{"done": "there"}} if '"end"' in line else {{}}), flush=True)
"""
HANGS = "import threading; threading.Event().wait()"
FAILS = """
import json, sys
sys.stdin.readline()
print(json.dumps({"failed": "OSError: no space left on the device"}), flush=True)
"""
NOTES = """
import json, sys
for line in sys.stdin:
    print(json.dumps({"note": "it is kept offline"}), flush=True)
    print(json.dumps({"done": "here"}), flush=True)
"""


def log(step: int) -> LogTold:
    return LogTold(what="log", step=step, values={"text": "x" * 200})


def feed(script: str, *, patience: float = 20.0, past: tuple[LogTold, ...] = ()) -> Feed:
    return Feed("wandb", {}, past, command=[sys.executable, "-c", script], patience=patience)


def test_everything_is_told_in_order_the_past_first(tmp_path: Path) -> None:
    told = feed(KEEPS.format(path=str(tmp_path / "kept")), past=(log(0), log(1)))
    told.put(log(2))
    told.put(END)
    assert told.close(20.0) == []
    assert told.where == "there"
    lines = (tmp_path / "kept").read_text().splitlines()
    assert [line[:25] for line in lines[:3]] == [f'{{"what": "log", "step": {step}' for step in range(3)]
    assert len(lines) == 4


def test_one_that_hangs_never_makes_anybody_wait_and_what_it_lacks_is_counted() -> None:
    told = feed(HANGS, patience=0.2)
    begin = time.perf_counter()
    for step in range(3 * MOST_WAITING):
        told.put(log(step))
    assert time.perf_counter() - begin < 1.0
    (said,) = told.close()
    assert said.startswith("wandb was told 0 of 3000 records: it gave no sign for ")
    assert said.endswith(" s and was ended; `synthcity runs track` tells it the whole run.")


def test_one_that_hung_long_ago_is_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told = feed(HANGS, patience=3600.0)
    told.put(log(0))
    with told._changed:
        assert told._changed.wait_for(lambda: told._num_sent == 1, 20.0)
        told._last_sign -= 3600.0
    begin = time.perf_counter()
    assert "gave no sign for 3600 s" in told.close(3600.0)[0]
    assert time.perf_counter() - begin < 20.0


def test_one_that_had_nothing_to_do_for_long_has_its_whole_time_at_the_end(tmp_path: Path) -> None:
    told = feed(KEEPS.format(path=str(tmp_path / "kept")))
    told.put(log(0))
    with told._changed:
        assert told._changed.wait_for(lambda: told._num_taken == 1, 20.0)
        told._last_sign -= 3600.0
    told.put(END)
    assert told.close(20.0) == []


def test_one_that_fails_is_told_nothing_more_and_says_why() -> None:
    told = feed(FAILS)
    told.put(log(0))
    with told._changed:
        assert told._changed.wait_for(lambda: told._is_over, 20.0)
    told.put(log(1))
    (said,) = told.close(20.0)
    assert said.startswith("wandb was told 0 of 2 records: OSError: no space left on the device; `synthcity runs")
    assert told.where == ""


def test_one_that_ends_by_itself_and_one_that_cannot_begin_are_told() -> None:
    told = feed("")
    told.put(log(0))
    assert "its process ended; " in told.close(20.0)[0]
    missing = Feed("wandb", {}, command=["/nowhere/python"])
    assert "could not be started" in missing.close(20.0)[0]


def test_what_a_person_must_know_is_passed_on() -> None:
    told = feed(NOTES)
    told.put(END)
    assert told.close(20.0) == ["it is kept offline"]
