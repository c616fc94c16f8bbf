"""What runs in a fork server and in the locked children that it forks; see :mod:`.forks` for the other side.

The server loads a worker module and never sees anything foreign. A child locks itself before it reads its first
message. A worker module has ``prepare()``, which loads all that will be needed while files can still be opened, and
``begin(message)``, which returns the function that answers each further message.
"""

from __future__ import annotations

import gc
import importlib
import json
import linecache
import os
import signal
import socket
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from synthcity.authored.locked import wire
from synthcity.authored.locked.lock import SandboxLimits, lock
from synthcity.authored.locked.wire import Message

FILE = "<authored>"  # what a foreign text is called in a traceback, or "<authored NAME>" where there are several
_MAX_TEXT = 2000
_IN, _OUT = 0, 1


class Worker(Protocol):
    """A module of what a child does."""

    def prepare(self) -> None:
        """Load everything, once, in the server."""

    def begin(self, message: Message) -> Callable[[Message], Message]:
        """Take what is foreign, in a locked child."""


def main(control: int, module: str) -> None:
    """Serve forks until the other side has gone."""
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    with socket.socket(fileno=control) as asked:
        try:
            worker: Worker = importlib.import_module(module)
            worker.prepare()
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            _reply(asked, failed=f"{type(error).__name__}: {error}"[:_MAX_TEXT])
            return
        # a traceback asks for lines of files, which a child may not open
        linecache.checkcache = lambda filename=None: None
        linecache.updatecache = lambda filename, module_globals=None: []
        gc.collect()
        gc.freeze()  # what is shared is not looked through, and so not copied, in every child
        _reply(asked, ready=True)
        _serve(asked, worker)


def _serve(asked: socket.socket, worker: Worker) -> None:
    children: set[int] = set()
    try:
        while True:
            text, pipes, _, _ = socket.recv_fds(asked, 1 << 12, 2)
            if not text:
                return
            request = json.loads(text)
            if "end" in request:
                _ended(asked, children, int(request["end"]))
                continue
            try:
                pid = os.fork()
            except OSError as error:  # of memory or processes; the others go on
                pid = -1
                _reply(asked, failed=f"no process could be forked: {error.strerror or error}")
            if pid == 0:
                try:
                    asked.detach()
                    _child(worker, pipes, SandboxLimits(**request["limits"]))
                finally:
                    os._exit(0)
            for pipe in pipes:
                os.close(pipe)
            if pid > 0:
                children.add(pid)
                _reply(asked, pid=pid)
    finally:
        for pid in children:
            _end(pid)


def _ended(asked: socket.socket, children: set[int], pid: int) -> None:
    if pid not in children:
        _reply(asked, failed=f"{pid} is no child of this process")
        return
    children.discard(pid)
    status, seconds = _end(pid)
    _reply(asked, status=status, seconds=seconds)


def _reply(asked: socket.socket, **values: object) -> None:
    asked.send(json.dumps(values).encode())


def _end(pid: int) -> tuple[int, float]:
    """Kill a child unless it has ended; return its status as ``os.waitstatus_to_exitcode`` has it, and CPU seconds."""
    ended, status, used = os.wait4(pid, os.WNOHANG)
    if not ended:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status, used = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime


# ---- what follows runs in the child that is locked


def _child(worker: Worker, pipes: list[int], limits: SandboxLimits) -> None:
    os.dup2(pipes[0], _IN)
    os.dup2(pipes[1], _OUT)
    os.closerange(3, 1 << 12)
    try:
        isolation = lock(limits)
    except BaseException as error:  # noqa: BLE001 - whatever it is, nothing foreign may run now
        wire.send(_OUT, Message({"failed": f"{error}".replace("\n", " ")}))
        return
    wire.send(_OUT, Message({"locked": isolation}))
    try:
        answer = worker.begin(wire.receive(_IN))
        wire.send(_OUT, Message())
        while True:
            wire.send(_OUT, answer(wire.receive(_IN)))
    except wire.Closed:
        return
    except BaseException as error:  # noqa: BLE001 - it is foreign
        wire.send(_OUT, Message({"error": _told(error)}))


def _told(error: BaseException) -> str:
    """Say what went wrong and in which line of the foreign text."""
    text = "".join(traceback.format_exception_only(error)).strip()[:_MAX_TEXT]
    lines = [(frame.f_code.co_filename, number) for frame, number in traceback.walk_tb(error.__traceback__)]
    found = [f"line {number}{file[9:-1] and f' of{file[9:-1]}'}" for file, number in lines if _is_foreign(file)]
    return f"{found[-1]}: {text}" if found else text


def _is_foreign(file: str) -> bool:
    return file.startswith("<authored") and file.endswith(">")
