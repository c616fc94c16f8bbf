"""The process that keeps a job: it starts the command, hands on a stop, and writes down how it ended.

``python -m synthcity.bridge.jobs.keeper FOLDER LOCK`` where LOCK is the descriptor of the job's lock, which it and the
command hold as long as they live. It leads a session of its own, so that nothing that ends the bridge ends it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

from synthcity.bridge.jobs.job import CHILD, ENDED, OUTPUT, STOP, read_job
from synthcity.files import PRIVATE, atomic_write

COMMAND = (sys.executable, "-m", "synthcity")
GRACE_SECONDS = 60.0
"""What a stopped command may take to write down where it was."""


def keep(folder: Path, lock: int) -> int:
    """Run the job in ``folder`` to its end; return its exit code."""
    job = read_job(folder)
    again = ["--resume"] if job.journal.is_file() and job.journal.stat().st_size else []
    with (folder / OUTPUT).open("ab") as output:
        process = subprocess.Popen(
            [*COMMAND, *job.arguments, *again],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
        )

    is_stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal is_stopped
        is_stopped = True
        process.send_signal(signal.SIGTERM)
        patience = threading.Timer(GRACE_SECONDS, process.kill)
        patience.daemon = True
        patience.start()

    signal.signal(signal.SIGTERM, stop)
    atomic_write(folder / CHILD, f"{os.getpid()} {process.pid}", mode=PRIVATE)
    if (folder / STOP).exists() and not is_stopped:  # asked for before there was anybody to tell
        stop(signal.SIGTERM, None)
    code = process.wait()
    atomic_write(folder / ENDED, json.dumps({"code": code}), mode=PRIVATE)
    return code


if __name__ == "__main__":
    keep(Path(sys.argv[1]), int(sys.argv[2]))
