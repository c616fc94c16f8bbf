"""Do something once for each system call it makes, and let exactly that call be where it is killed or fails.

``python -m tests.faults MODULE:FUNCTION FOLDER KIND`` calls ``FUNCTION(FOLDER)`` in a fork of itself again and again:
in the n-th the n-th call is the last (``kill``), fails (``error``) or fails with all that follow (``gone``). After
each, ``MODULE:check(FOLDER)`` has to hold. It ends, and prints the number of calls, once the function came through.
"""

from __future__ import annotations

import errno
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from synthcity import files

# what Python tells an audit hook of, besides fsync and the exchange of two names, which it does not
_CALLS = ("open", "os.", "fcntl.")


def _break_at(call: int, kind: str) -> None:
    count = 0

    def tick(event: str, arguments: tuple[Any, ...] = ()) -> None:
        nonlocal count
        if not event.startswith(_CALLS):
            return
        count += 1
        if count == call and kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if count == call or (count > call and kind == "gone"):
            raise OSError(errno.EIO, f"injected into {event}")

    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            tick(f"os.{name}")
            return function(*arguments)

        return call

    os.fsync = watched("fsync", os.fsync)
    files._exchange = watched("exchange", files._exchange)
    sys.addaudithook(tick)


def _attempt(function: Callable[[Path], None], folder: Path, call: int, kind: str) -> bool:
    """Whether the function came through without meeting its fault."""
    child = os.fork()
    if not child:
        _break_at(call, kind)
        code = 1
        try:
            function(folder)
            code = 0
        except Exception as error:  # noqa: BLE001 - what is raised is the business of the function's own tests
            text = str(error)
            code = 1 if "injected" in text or "Input/output" in text else 2
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) in (0, 1), f"another error at call {call}"
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0


def main(target: str, folder: str, kind: str) -> None:
    """Run the campaign."""
    module, _, name = target.partition(":")
    loaded = importlib.import_module(module)
    root = Path(folder)
    getattr(loaded, name)(root)  # imports what it needs, so that no fault hits an import
    through = 0
    for call in range(1, 1000):
        came = _attempt(getattr(loaded, name), root, call, kind)
        loaded.check(root)
        # a fault in the cleaning up is swallowed: only several in a row mean that there are no more calls
        through = through + 1 if came else 0
        if through == 12:
            print(call - through)
            return
    raise AssertionError("it never came through")


def campaign(target: str, folder: Path, kind: str) -> int:
    """Run it in a process of its own and return how many calls there were."""
    command = [sys.executable, "-m", "tests.faults", target, str(folder), kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
