"""The other side of a fork server: what it says when something fails."""

from __future__ import annotations

import json
import socket

import pytest

from synthcity.authored.locked import forked
from synthcity.authored.locked.forks import ForkServer, Misbehaved
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.authored.locked.wire import Message


def test_an_error_names_the_line_of_the_foreign_text() -> None:
    source = "def f():\n    return 1 / 0\n\n\nf()\n"
    with pytest.raises(ZeroDivisionError) as caught:
        exec(compile(source, forked.FILE, "exec"), {})
    assert forked._told(caught.value) == "line 2: ZeroDivisionError: division by zero"
    assert forked._told(ValueError("x" * 9000)).startswith("ValueError: xxx")
    assert len(forked._told(ValueError("x" * 9000))) <= 2000


def test_a_fork_that_fails_and_a_child_that_is_not_there_are_told_and_the_server_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(forked.os, "fork", full)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reads, writes = forked.os.pipe()
    with ours, theirs:
        for request in ({"limits": {}}, {"end": 1}, {"limits": {}}):
            socket.send_fds(ours, [json.dumps(request).encode()], [writes] if "limits" in request else [])
        ours.shutdown(socket.SHUT_WR)
        forked.os.close(writes)
        forked._serve(theirs, None)  # type: ignore[arg-type]
        failed = [json.loads(ours.recv(4096))["failed"] for _ in range(3)]
    assert failed == [
        "no process could be forked: Resource temporarily unavailable",
        "1 is no child of this process",
        "no process could be forked: Resource temporarily unavailable",
    ]
    assert forked.os.read(reads, 1) == b""  # nobody holds the other end any more
    forked.os.close(reads)


def test_a_worker_that_does_not_load_is_told() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        kept = [forked.os.dup(1)]
        try:
            forked.main(theirs.detach(), "tests.authored.locked.no_such_worker")
        finally:
            forked.os.dup2(kept[0], 1)
            forked.os.close(kept[0])
        assert "ModuleNotFoundError" in json.loads(ours.recv(4096))["failed"]


def test_a_text_that_fails_at_once_says_so(server: ForkServer) -> None:
    with server.fork(SandboxLimits(wall_seconds=20.0)) as child:
        child.call(Message())
        with pytest.raises(Misbehaved, match="NameError"):
            child.call(Message({"source": "nothing_of_this_name"}))
