"""Locked children for code that a language model wrote, forked from a process that has loaded what they need.

A :class:`ForkServer` is started once and never sees anything foreign; each :meth:`ForkServer.fork` gives a child that
the kernel has locked before it reads its first message, a few milliseconds later. Children share nothing that can be
changed: what one does, no other hears of, so a fresh child for each call is a call without a past. A child answers
messages (:mod:`.wire`) over two pipes. Whatever it does wrong costs its own work and nothing else.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any

import numpy as np

from synthcity.authored.locked import wire
from synthcity.authored.locked.isolation import LOCKED_PYTHON, locked_environment
from synthcity.authored.locked.lock import SIGNALS, NotIsolated, SandboxLimits, load_libseccomp
from synthcity.authored.locked.wire import Message, Shapes
from synthcity.errors import TrialFailed

_START_SECONDS = 180.0  # loading on a busy machine; none of it is foreign
_LOCK_SECONDS = 60.0
_PIPE_BYTES = 1 << 20
_CLOCK_OF_PROCESS = 2  # CPUCLOCK_SCHED, see clock_getcpuclockid(3)
_LONGEST_ERROR = 2000  # characters
_ENDED = "the process from which locked children are forked has ended"
_START = """
import sys, json
sys.path[:] = json.loads(sys.argv[1])
from synthcity.authored.locked.forked import main
main(int(sys.argv[2]), sys.argv[3])
"""


class Misbehaved(TrialFailed):
    """Authored code failed, hung, reached for what is forbidden, or gave what it was not asked for."""


class ForkServer:
    """A process that has loaded the module ``worker`` and forks locked children; safe to use from threads.

    Raises:
        NotIsolated: no process can be locked here, or it does not start.
    """

    def __init__(self, worker: str) -> None:
        load_libseccomp()
        self.worker = worker
        self._guard = threading.Lock()
        self._asked, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [*LOCKED_PYTHON, "-c", _START, json.dumps(sys.path), str(theirs.fileno()), worker],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=locked_environment(),
                cwd="/",
                start_new_session=True,
            )
        self._asked.settimeout(_START_SECONDS)
        try:
            ready = self._answer()
        except (OSError, ValueError):
            ready = {"failed": "the process from which children are forked ended or was not ready in time"}
        if "ready" not in ready:
            self.close()
            raise NotIsolated(f"code that a model wrote cannot be isolated here: {ready.get('failed')}")

    @property
    def alive(self) -> bool:
        return self._process.poll() is None and self._asked.fileno() >= 0

    def fork(self, limits: SandboxLimits) -> Child:
        """Return a locked child.

        Raises:
            NotIsolated: it could not be forked or locked; nothing foreign was run.
        """
        with ExitStack() as theirs, ExitStack() as ours:
            try:
                their_in, our_out = _pipe(theirs, ours)
                our_in, their_out = _pipe(ours, theirs)
            except OSError as error:
                raise NotIsolated(f"no pipe to a locked child can be opened: {error.strerror or error}") from error
            for pipe in (our_out, our_in):
                os.set_blocking(pipe, False)
                with suppress(OSError):  # a bound on the pipes of a user; smaller ones are only slower
                    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
            try:
                answer = self._request({"limits": vars(limits)}, their_in, their_out)
            except (OSError, ValueError) as error:
                raise NotIsolated(_ENDED) from error
            if "failed" in answer:
                raise NotIsolated(f"no locked child can be had: {answer['failed']}")
            ours.pop_all()
        return Child(self, int(answer["pid"]), our_in, our_out, limits)

    def end(self, pid: int) -> tuple[int | None, float]:
        """Kill a child unless it has ended; return its exit code, None where nobody knows, and its CPU seconds."""
        try:
            answer = self._request({"end": pid})
        except (OSError, ValueError):
            return None, 0.0
        return (None, 0.0) if "failed" in answer else (int(answer["status"]), float(answer["seconds"]))

    def close(self) -> None:
        """End the process and all of its children."""
        self._asked.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5.0)  # it ends its children first
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _request(self, request: Mapping[str, object], *pipes: int) -> dict[str, Any]:
        """Ask the process and return its answer; whatever interrupts that ends it, since its answer would be next."""
        with self._guard:
            try:
                socket.send_fds(self._asked, [json.dumps(request).encode()], list(pipes))
                return self._answer()
            except BaseException:
                self.close()
                raise

    def _answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._asked.recv(1 << 16))
        return answer


class Child:
    """One locked process; a context manager, at whose end it is gone.

    ``isolation`` is what holds it, ``cpu_seconds`` what it has used, known when it is gone.
    """

    def __init__(self, server: ForkServer, pid: int, incoming: int, outgoing: int, limits: SandboxLimits) -> None:
        self._server, self._pid, self._in, self._out, self._limits = server, pid, incoming, outgoing, limits
        self._ended = False
        self.cpu_seconds = 0.0
        try:
            first = wire.receive(self._in, time.monotonic() + _LOCK_SECONDS, {}).values
        except (wire.Closed, wire.Late, wire.Malformed):
            first = {"failed": "the child ended or was not locked in time"}
        if "locked" not in first:
            self.close()
            raise NotIsolated(f"code that a model wrote cannot be isolated here: {first.get('failed')}")
        self.isolation = str(first["locked"])

    def call(self, message: Message, shapes: Shapes | None = None, *, seconds: float | None = None) -> Message:
        """Send a message and return its answer; the first one is for the worker's ``begin``.

        Args:
            message: what the child gets.
            shapes: what the answer must hold, all of it finite; nothing else may come. None: no arrays.
            seconds: for this call, by default those of the limits.

        Raises:
            Misbehaved: it did not answer, or with something else; the child is gone.
            NotIsolated: it is gone with the process that it was forked from, by no fault of its own.
        """
        allowed = self._limits.wall_seconds if seconds is None else seconds
        until = time.monotonic() + allowed
        try:
            wire.send(self._out, message, until)
            answer = wire.receive(self._in, until, shapes or {})
        except wire.Late:
            self.close()
            raise Misbehaved(f"it was still running after {allowed:g} s") from None
        except wire.Malformed as error:
            self.close()
            raise Misbehaved(_plain(str(error))) from None
        except wire.Closed:
            raise Misbehaved(self._death()) from None
        if "error" in answer.values:
            self.close()
            raise Misbehaved(_plain(str(answer.values["error"])[:_LONGEST_ERROR]))
        try:
            _hold(answer)
        except Misbehaved:
            self.close()
            raise
        return answer

    def cpu_time(self) -> float:
        """CPU seconds that it has used so far, as the kernel tells them."""
        if not self._ended:
            with suppress(OSError):  # it has ended by itself
                return time.clock_gettime((~self._pid << 3) | _CLOCK_OF_PROCESS)
        return self.cpu_seconds

    def close(self) -> int | None:
        """End it and return its exit code, None where it is known already or to nobody."""
        if self._ended:
            return None
        self._ended = True
        os.close(self._in)
        os.close(self._out)
        code, self.cpu_seconds = self._server.end(self._pid)
        return code

    def _death(self) -> str:
        code = self.close()
        if not self._server.alive:
            raise NotIsolated(_ENDED)
        if code is None:
            return "it ended without an answer"
        if code < 0:
            number = signal.Signals(-code)
            return SIGNALS.get(number, f"it was ended by {number.name}")
        return f"it ended without an answer (exit code {code})"

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _pipe(reads: ExitStack, writes: ExitStack) -> tuple[int, int]:
    """Return both ends of a new pipe, which those who read and write it will close."""
    incoming, outgoing = os.pipe()
    reads.callback(os.close, incoming)
    writes.callback(os.close, outgoing)
    return incoming, outgoing


def _plain(text: str) -> str:
    """Leave no signs in a foreign text that a terminal would obey."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in text)


def _hold(answer: Message) -> None:
    for name, values in answer.arrays.items():
        if not np.isfinite(values).all():
            raise Misbehaved(f"its {name} holds what is not finite")


_shared: dict[tuple[int, str], ForkServer] = {}
_sharing = threading.Lock()


def shared_server(worker: str) -> ForkServer:
    """Return this process's one server with ``worker`` loaded; it ends with the process.

    Raises:
        NotIsolated: no process can be locked here.
    """
    with _sharing:
        key = (os.getpid(), worker)
        server = _shared.get(key)
        if server is None or not server.alive:
            if not _shared:
                atexit.register(close_shared)
            server = _shared[key] = ForkServer(worker)
        return server


def close_shared() -> None:
    """End the servers that this process shares; the next call starts them anew."""
    with _sharing:
        for pid, worker in list(_shared):
            server = _shared.pop((pid, worker))
            if pid == os.getpid():
                server.close()
