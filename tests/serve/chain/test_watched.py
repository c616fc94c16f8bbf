from __future__ import annotations

import sys
from pathlib import Path

from synthcity.serve.chain.watched import Watched
from tests.waiting import until


def test_a_program_that_ends_is_told_and_started_again(tmp_path: Path):
    code = f"open({str(tmp_path / 'starts')!r}, 'a').write('x'); print('the chain is away'); raise SystemExit(3)"
    with Watched("the chain's process", [sys.executable, "-c", code], pause_seconds=0.05) as watched:
        until(lambda: watched.num_ends >= 2)
    assert len((tmp_path / "starts").read_text()) >= 2
    expected = "the chain's process ended with 3 (the chain is away); it is started again"
    assert watched.problem == expected


def test_it_ends_with_the_miner():
    with Watched(
        "sleeper", [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)"]
    ) as watched:
        until(lambda: watched.last_line == "here")
        assert watched.problem is None
        process = watched._process
    assert process.poll() is not None


def test_it_inherits_no_secret_but_bittensors_own(monkeypatch):
    monkeypatch.setenv("CHUTES_API_KEY", "canary")
    monkeypatch.setenv("BT_PW_MINER", "its own")
    code = "import os; print(*(os.environ.get(name) for name in ('CHUTES_API_KEY', 'BT_PW_MINER')), flush=True)"
    with Watched("teller", [sys.executable, "-c", f"{code}; import time; time.sleep(600)"]) as watched:
        until(lambda: watched.last_line == "None its own")
