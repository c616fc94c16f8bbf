"""Run one function in a process of its own that the kernel has locked, and say how it ended.

The process loads what it needs while it is still trusted, then locks itself (:mod:`.lock`), and only then sees what is
foreign. It gets no environment but a handful of plain settings, no open file but a pipe for its answer, and is ended
when its time is over.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import linecache
import os
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthcity.authored.locked.lock import SIGNALS, NotIsolated, SandboxLimits, load_libseccomp, lock

_MAX_ANSWER = 1 << 20  # bytes
_START_SECONDS = 180.0  # loading and warming up, on a busy machine; none of it is foreign
_LOCKED = b"locked"
# nothing of the user's and nothing beside the program; its environment is ours, see locked_environment
LOCKED_PYTHON = (sys.executable, "-s", "-P")


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an isolated function ended: with its ``answer``, or without one for a ``reason``.

    ``attempts``: what it tried to reach from Python on the way, whether or not it noticed the refusal.
    ``isolation``: what held it.
    """

    answer: Mapping[str, Any] | None = None
    reason: str = ""
    attempts: tuple[str, ...] = ()
    isolation: str = ""


def check_isolation() -> None:
    """Show that a process can be locked here.

    Raises:
        NotIsolated: it cannot; the text says what is missing.
    """
    load_libseccomp()
    ending = run_isolated("synthcity.authored.locked.isolation:nothing", {}, SandboxLimits())
    if ending.answer is None:
        raise NotIsolated(f"no process can be isolated here: {ending.reason}")


def nothing(payload: Mapping[str, object]) -> dict[str, object]:
    """Do nothing, in isolation."""
    return {}


def run_isolated(function: str, payload: Mapping[str, object], limits: SandboxLimits) -> Ending:
    """Call ``module:function`` with a plain mapping in a locked process.

    The module's ``prepare()``, if it has one, is called before the lock.

    Raises:
        NotIsolated: the process could not be locked; nothing was called.
    """
    load_libseccomp()
    process = subprocess.Popen(
        [*LOCKED_PYTHON, "-c", _START, json.dumps(sys.path), function, json.dumps(vars(limits))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=locked_environment(),
        cwd="/",
        start_new_session=True,
    )
    try:
        return _converse(process, json.dumps(dict(payload)).encode(), limits)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


_START = """
import sys, json
sys.path[:] = json.loads(sys.argv[1])
from synthcity.authored.locked.isolation import main
main(sys.argv[2], json.loads(sys.argv[3]))
"""


def locked_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    fixed = {"LC_ALL": "C.UTF-8", "HOME": "/", "CUDA_VISIBLE_DEVICES": "", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**kept, **one, **fixed, "PYTHONHASHSEED": "0"}  # so that the order of a set is the same in all processes


def _converse(process: subprocess.Popen[bytes], payload: bytes, limits: SandboxLimits) -> Ending:
    """Wait for the lock, hand over what is foreign, and read the answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    out = process.stdout.fileno()
    first, done = _read_line(out, time.monotonic() + _START_SECONDS)
    head = first.split(b"\n", 1)[0].decode(errors="replace")
    if not head.startswith(_LOCKED.decode() + " "):
        why = (
            head if done and head else f"it was not ready after {_START_SECONDS:g} s" if not done else "it ended early"
        )
        raise NotIsolated(f"code that a model wrote cannot be isolated here: {why}")
    isolation = head.removeprefix(_LOCKED.decode() + " ")
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(payload)
        process.stdin.close()
    text, done = _read_line(out, time.monotonic() + limits.wall_seconds)
    if not done:
        return Ending(reason=f"it was still running after {limits.wall_seconds:g} s", isolation=isolation)
    try:
        said = json.loads(text)
        return Ending(
            answer=said["answer"], reason=said["reason"], attempts=tuple(said["attempts"]), isolation=isolation
        )
    except (ValueError, KeyError, TypeError):
        return Ending(reason=_death(process, text), isolation=isolation)


def _read_line(descriptor: int, until: float) -> tuple[bytes, bool]:
    """Read up to a newline, the end or too much; False where the time was over first."""
    text = b""
    while b"\n" not in text and len(text) <= _MAX_ANSWER:
        left = until - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            return text, False
        part = os.read(descriptor, 1 << 16)
        if not part:
            break
        text += part
    return text, True


def _death(process: subprocess.Popen[bytes], text: bytes) -> str:
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return f"it wrote {len(text)} bytes that are no answer"
    if code < 0:
        return SIGNALS.get(signal.Signals(-code), f"it was ended by {signal.Signals(-code).name}")
    return f"it ended without an answer (exit code {code})"


# ---- what follows runs in the process that is locked


def main(function: str, limits: dict[str, Any]) -> None:
    """Prepare, lock, and only then read what is foreign."""
    answer_to = os.dup(1)
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 1)
    try:
        module, _, name = function.partition(":")
        loaded = importlib.import_module(module)
        getattr(loaded, "prepare", lambda: None)()
        # torch asks for stacks of its own calls, and their lines must not be looked for on the disk
        linecache.checkcache = lambda filename=None: None
        linecache.updatecache = lambda filename, module_globals=None: []
        os.closerange(3, answer_to)
        os.closerange(answer_to + 1, 1 << 12)
        attempts = _watch()
        isolation = lock(SandboxLimits(**limits))
    except BaseException as error:  # noqa: BLE001 - whatever it is, nothing foreign may run now
        os.write(answer_to, f"{error}".replace("\n", " ").encode() + b"\n")
        return
    os.write(answer_to, _LOCKED + b" " + isolation.encode() + b"\n")
    payload = json.loads(sys.stdin.buffer.read())
    attempts.clear()
    answer, reason = None, ""
    try:
        answer = getattr(loaded, name)(payload)
    except BaseException as error:  # noqa: BLE001 - it is foreign
        seen = list(attempts)
        reason = "".join(traceback.format_exception_only(error)).strip()[:2000]
        attempts[:] = seen  # formatting looks for source files itself
    said = json.dumps({"answer": answer, "reason": reason, "attempts": list(dict.fromkeys(attempts))[:20]})
    text = said.encode() + b"\n"
    while text:
        text = text[os.write(answer_to, text) :]
    os._exit(0)


def _watch() -> list[str]:
    """Note from here on what Python code tries to reach, so that a refusal that was swallowed shows too."""
    seen: list[str] = []
    prefixes = ("open", "socket.", "subprocess.", "os.", "ctypes.", "shutil.", "pty.", "mmap.", "fcntl.", "signal.")

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(prefixes) and len(seen) < 1000:
            seen.append(f"{event}({arguments[0]!r})"[:200] if arguments else event)

    sys.addaudithook(note)
    return seen
