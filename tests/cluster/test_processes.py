from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from synthcity.cluster.processes import Process, end, marked
from tests.waiting import until

# starts a child that leaves its session and outlives it, and then waits; SIGTERM is ignored where asked for
TREE = """
import os, signal, subprocess, sys, time
if sys.argv[1:] == ["stubborn"]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "600"], start_new_session=True)
print("ready", flush=True)
time.sleep(600)
"""


def tree(mark: str, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "SYNTHCITY_TEST_MARK": mark}
    command = [sys.executable, "-c", TREE, *words]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def test_all_that_a_marked_process_started_is_ended_and_nothing_else() -> None:
    ours, other = tree(f"ours-{os.getpid()}", "stubborn"), tree(f"other-{os.getpid()}")
    try:
        find = lambda name: marked("SYNTHCITY_TEST_MARK", f"{name}-{os.getpid()}")  # noqa: E731
        until(lambda: len(find("ours")) == 2, seconds=10)
        end(lambda: find("ours"), first=Process.of(ours.pid), patience=0.1)
        assert (find("ours"), len(find("other"))) == ([], 2)
    finally:
        end(lambda: find("other"))
        for child in (ours, other):
            child.communicate()


def test_an_id_that_was_given_again_is_another_process() -> None:
    me = Process.of(os.getpid())
    assert me is not None
    assert me.is_alive
    assert not Process(me.pid, me.began - 1).is_alive


def test_a_process_that_only_waits_to_be_noticed_has_ended() -> None:
    child = subprocess.Popen(["true"])
    try:
        until(lambda: Process.of(child.pid) is None, seconds=10)
    finally:
        child.wait()


# its first thread ends, another holds a port
HALF = """
import ctypes, socket, threading, time
server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=time.sleep, args=(600,)).start()
print("ready", flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""


def test_a_process_lives_until_its_last_thread_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", HALF], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            state = Path(f"/proc/{child.pid}/stat")
            until(lambda: state.read_text().rpartition(")")[2].split()[0] == "Z", seconds=10)
            assert Process.of(child.pid) is not None
        finally:
            child.kill()
    assert Process.of(child.pid) is None
