"""A program beside the miner, kept running: started again when it ends, ended with the miner."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import threading
from collections.abc import Sequence

from synthcity.private import without_secrets

_log = logging.getLogger(__name__)


class Watched:
    """Runs ``command`` again and again until the end of the block. Use as a context manager.

    The command's standard input says nothing and ends when this process does, even if that is killed: whoever minds it
    does not outlive us. It inherits no secrets but Bittensor's own.
    """

    def __init__(self, name: str, command: Sequence[str], *, pause_seconds: float = 30.0) -> None:
        """Args: ``pause_seconds`` lie between its end and its next start."""
        self.name, self.last_line, self.num_ends = name, "", 0
        self._command, self._pause = list(command), pause_seconds
        self._stopping = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._follow, name=name, daemon=True)

    @property
    def problem(self) -> str | None:
        """What is wrong; None while it runs."""
        process = self._process
        if process is None or process.poll() is None:
            return None
        return (
            f"{self.name} ended with {process.returncode} ({self.last_line or 'without a word'}); it is started again"
        )

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                if self._stopping.is_set():
                    return
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                    env=without_secrets(os.environ, needed=("BT_",)),
                )
            with self._process as process:
                assert process.stdout is not None
                for line in process.stdout:
                    self.last_line = line.strip() or self.last_line
            if not self._stopping.is_set():
                self.num_ends += 1
                _log.warning("%s", self.problem)
                self._stopping.wait(self._pause)
