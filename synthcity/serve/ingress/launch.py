"""The program that Ray starts in the place of HAProxy: narrows its configuration, and becomes HAProxy.

HAProxy ends with the process of Ray that started it, however that ends: else it would keep the public port and answer
500 to everybody.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from synthcity.serve.ingress.front import Front, narrow

_PR_SET_PDEATHSIG = 1


def write_launcher(folder: Path, front: Front, binary: str) -> Path:
    """Write to ``folder`` an executable that starts ``binary`` behind ``front``; return its path.

    Raises:
        OSError: the folder cannot be written, or nothing in it can be executed.
    """
    front.write(folder / "front.json")
    start = f"import sys; sys.path[:0] = [{str(Path(__file__).parents[3])!r}]; "
    start += f"from {__name__} import main; main({str(folder / 'front.json')!r}, {binary!r}, sys.argv[1:])"
    path = folder / "launch"
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(start)} "$@"\n', encoding="utf-8")
    path.chmod(0o700)
    if not os.access(path, os.X_OK):
        raise PermissionError(f"nothing in {folder} can be executed; set TMPDIR to a folder of another disk")
    return path


def main(front: str, binary: str, arguments: Sequence[str]) -> None:
    """Rewrite the file after ``-f`` in ``arguments`` and become ``binary``."""
    path = Path(arguments[arguments.index("-f") + 1])
    parent = os.getppid()
    try:
        text = narrow(path.read_text(encoding="utf-8"), Front.read(Path(front)))
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    draft = path.with_suffix(".narrow")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we asked to be told
            sys.exit("whoever started HAProxy is gone")
    os.execv(binary, [binary, *arguments])
