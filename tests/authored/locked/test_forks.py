"""Locked children: each by itself, ended when it misbehaves, and the rest goes on."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest

from synthcity.authored.locked import forks
from synthcity.authored.locked.forks import Child, ForkServer, Misbehaved, shared_server
from synthcity.authored.locked.lock import NotIsolated, SandboxLimits
from synthcity.authored.locked.wire import Message

LIMITS = SandboxLimits(cpu_seconds=2, wall_seconds=20.0, memory_bytes=256 << 20)


def opened(server: ForkServer, limits: SandboxLimits = LIMITS) -> Child:
    child = server.fork(limits)
    child.call(Message())
    return child


def test_arrays_go_in_and_come_out(server: ForkServer) -> None:
    x = np.random.default_rng(0).random((200, 300))
    with opened(server) as child:
        assert child.isolation.startswith("seccomp, user ")
        source = "answer = Message(arrays={'y': asked.arrays['x'] * 2})"
        found = child.call(Message({"source": source}, {"x": x}), {"y": ((200, 300), "float64")})
        np.testing.assert_array_equal(found.arrays["y"], 2 * x)
        assert child.call(Message({"source": "answer = Message({'n': 1})"})).values == {"n": 1}


def test_children_hear_nothing_of_each_other(server: ForkServer) -> None:
    looks = "import json; result = [hasattr(json, 'secret'), hasattr(np, 'secret')]"
    with opened(server) as one, opened(server) as other:
        one.call(Message({"source": "import json; json.secret = np.secret = 1; answer = Message()"}))
        found = other.call(Message({"source": looks}))
        assert found.values == {"result": "[False, False]"}
    with opened(server) as later:
        found = later.call(Message({"source": looks}))
        assert found.values == {"result": "[False, False]"}


def test_a_child_that_hangs_is_gone_and_others_go_on(server: ForkServer) -> None:
    with opened(server) as other:
        child = opened(server)
        begin = time.monotonic()
        with pytest.raises(Misbehaved, match=r"still running after 0\.2 s"):
            child.call(Message({"source": "while True: pass"}), seconds=0.2)
        assert time.monotonic() - begin < 10.0
        with pytest.raises(ProcessLookupError):
            os.kill(child._pid, 0)
        assert other.call(Message({"source": "result = 1"})).values == {"result": "1"}


def test_a_server_that_died_is_told_and_the_next_one_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "_shared", {})
    first = shared_server("tests.authored.locked.hostile")
    assert shared_server("tests.authored.locked.hostile") is first
    child = opened(first)
    os.kill(first._process.pid, signal.SIGKILL)
    first._process.wait()
    with pytest.raises(NotIsolated, match="has ended"):
        first.fork(LIMITS)
    child.close()
    second = shared_server("tests.authored.locked.hostile")
    assert second is not first
    with opened(second) as child:
        assert child.call(Message({"source": "result = 2"})).values == {"result": "2"}
    forks.close_shared()
    assert not second.alive


def test_a_child_that_ended_with_its_server_did_nothing_wrong() -> None:
    with ForkServer("tests.authored.locked.hostile") as server:
        child = opened(server)
        os.killpg(server._process.pid, signal.SIGKILL)
        with pytest.raises(NotIsolated, match="has ended"):
            child.call(Message({"source": "result = 1"}))


def test_what_this_process_lacks_is_told_and_ends_nobody(server: ForkServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(server) as child:
        before = len(os.listdir("/proc/self/fd"))
        with monkeypatch.context() as patched:
            patched.setattr(server, "_answer", lambda: server.__class__._answer(server) and {"failed": "no memory"})
            with pytest.raises(NotIsolated, match="no locked child can be had: no memory"):
                server.fork(LIMITS)
        full = iter([os.pipe()])

        def pipe() -> tuple[int, int]:
            for pair in full:
                return pair
            raise OSError(24, "Too many open files")

        with monkeypatch.context() as patched:
            patched.setattr(os, "pipe", pipe)
            with pytest.raises(NotIsolated, match="Too many open files"):
                server.fork(LIMITS)
        assert len(os.listdir("/proc/self/fd")) == before
        assert child.call(Message({"source": "result = 1"})).values == {"result": "1"}


def test_an_answer_that_was_interrupted_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    with ForkServer("tests.authored.locked.hostile") as server:

        def interrupted() -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(server, "_answer", interrupted)
        with pytest.raises(KeyboardInterrupt):
            server.fork(LIMITS)
        assert not server.alive


def test_whoever_closes_a_server_ends_its_children() -> None:
    with ForkServer("tests.authored.locked.hostile") as server:
        child = opened(server)
    with pytest.raises(ProcessLookupError):
        os.kill(child._pid, 0)
    child.close()


def test_a_worker_that_is_not_there_is_told() -> None:
    with pytest.raises(NotIsolated, match="cannot be isolated here: ModuleNotFoundError"):
        ForkServer("tests.authored.locked.no_such_worker")


def test_a_child_that_cannot_be_locked_is_told(server: ForkServer) -> None:
    with pytest.raises(NotIsolated, match="cannot be isolated here: Python int too large"):
        server.fork(SandboxLimits(cpu_seconds=1 << 70))


def test_the_order_of_a_set_is_the_same_everywhere(server: ForkServer) -> None:
    with opened(server) as child:
        assert child.call(Message({"source": "import sys; result = sys.flags.hash_randomization"})).values == {
            "result": "0"
        }
