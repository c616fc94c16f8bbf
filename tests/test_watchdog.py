from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = """
import os, subprocess, sys, threading, time
from synthcity.cluster.local import terminable
from synthcity import watchdog
from synthcity.watchdog import Watchdog, children

watchdog._PATIENCE_SECONDS = 0.5 if sys.argv[1] == "stuck" else 60
needed = subprocess.Popen(["sleep", "1000"])
assert children(("sleep",)) == {needed.pid: "sleep"}
assert children(("nothing",)) == {}
assert children(("sleep",), of=os.getppid()) == {}
told = []
with terminable():
    dog = Watchdog(children(("sleep",)), told.append)
    try:
        needed.kill()
        while True:  # in short naps, since a signal that comes just before one does not end it
            try:
                time.sleep(0.05)
            except KeyboardInterrupt:
                if sys.argv[1] == "ends":
                    raise
                if sys.argv[1] == "dies":
                    os._exit(1)  # as Ray's core does
    except KeyboardInterrupt:
        os.write(2, b"what a library writes past Python")
        print("and through it", file=sys.stderr)
        print("and elsewhere")
    dog.close()
print(told, dog.lost, file=sys.stderr)
"""
SENTENCE = "Ray was lost: its sleep has ended; continue with --resume"


@pytest.mark.parametrize(
    ("how", "code", "written"),
    [("ends", 0, f"['{SENTENCE}'] {SENTENCE}\n"), ("stuck", 1, f"{SENTENCE}\n"), ("dies", 1, f"{SENTENCE}\n")],
)
def test_the_loss_is_told_and_ends_the_process_whatever_hangs(how: str, code: int, written: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stderr, done.stdout) == (code, written, "")


def test_one_that_is_closed_tells_nothing() -> None:
    from synthcity.watchdog import Watchdog

    told: list[str] = []
    with subprocess.Popen(["sleep", "1000"]) as needed:
        dog = Watchdog({needed.pid: "sleep"}, told.append)
        dog.close()
        needed.kill()
    assert told == []
    assert dog.lost is None
    assert "synthcity-watchdog" not in {thread.name for thread in threading.enumerate()}
