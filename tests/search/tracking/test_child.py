"""The process of one tracker."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from synthcity.search.tracking import child
from tests.waiting import ignores, until

SINK = """
import os, sys, threading
class Sink:
    def __init__(self, run, note):
        if not os.path.samestat(os.fstat(0), os.stat(os.devnull)):
            raise OSError("whatever a library starts would hold the pipe of records")
        print("libraries print")
        os.write(1, b"wherever they want")
        note("kept offline")
    def log(self, step, values):
        if step == 0:
            threading.Event().wait()
        if step == 13:
            raise OSError(f"no space left for {os.environ['WANDB_API_KEY']}\\n" + "x" * 9_000)
    def end(self, values, row):
        return f"{values['score']} {row}"
open_sink = Sink
"""
RUN = """
import sys, types
sink = types.ModuleType("synthcity.search.tracking.sinks.fake")
exec(sys.argv[1], sink.__dict__)
sys.modules[sink.__name__] = sink
from synthcity.search.tracking import child
child.PATIENCE_SECONDS = float(sys.argv[2])
child.main("fake")
"""
BEGIN = {"what": "run", "project": "p", "name": "n", "id": "i", "folder": ".", "config": {}}


def run(*records: object, tmp_path: Path, patience: float = 20.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RUN, SINK, str(patience)],
        input="".join(json.dumps(record) + "\n" for record in records),
        env={"WANDB_API_KEY": "canary-0123", "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )


def answers(*records: object, tmp_path: Path) -> list[dict[str, str]]:
    done = run(*records, tmp_path=tmp_path)
    assert done.returncode == 0
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_record_is_answered_and_nothing_else_is_heard(tmp_path: Path) -> None:
    log = {"what": "log", "step": 1, "values": {}}
    end = {"what": "end", "values": {"score": 5}}
    assert answers(BEGIN, log, end, tmp_path=tmp_path) == [{"note": "kept offline"}, {}, {}, {"done": "5 None"}]


def test_a_failure_is_one_short_sentence_without_the_key(tmp_path: Path) -> None:
    *_, last = answers(BEGIN, {"what": "log", "step": 13, "values": {}}, tmp_path=tmp_path)
    assert last["failed"].startswith("OSError: no space left for <WANDB_API_KEY> xxx")
    assert len(last["failed"]) == child._LONGEST


def test_one_that_hangs_ends_itself_when_whoever_started_it_is_gone(tmp_path: Path) -> None:
    hangs = {"what": "log", "step": 0, "values": {}}
    assert run(BEGIN, hangs, tmp_path=tmp_path, patience=0.5).returncode == 1


def test_it_takes_the_last_records_although_all_of_its_job_are_asked_to_end(tmp_path: Path) -> None:
    environ = {"WANDB_API_KEY": "canary-0123", "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", RUN, SINK, "20"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, text=True) as process:
        until(lambda: ignores(process.pid, signal.SIGTERM), process=process)
        process.send_signal(signal.SIGTERM)
        end = {"what": "end", "values": {"score": 5}}
        told, _ = process.communicate("".join(json.dumps(record) + "\n" for record in (BEGIN, end)), timeout=60)
    assert json.loads(told.splitlines()[-1]) == {"done": "5 None"}


def test_nothing_of_the_search_is_loaded() -> None:
    code = (
        "import sys, synthcity.search.tracking.child\n"
        "print([n for n in ('torch', 'ray', 'pandas', 'numpy', 'optuna', 'pydantic') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
