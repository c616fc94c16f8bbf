"""Running the stand-in in a process of its own, and steering it from there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import ProxyHandler, Request, build_opener

from synthcity.agents.standin.script import Asked, ChatBody

_open = build_opener(ProxyHandler({})).open  # the loopback needs no proxy


class RunningStandIn:
    """Handle of a running stand-in; ``url`` is what ``SYNTHCITY_LLM_BASE_URL`` should say."""

    def __init__(self, port: int, pid: int) -> None:
        self._root = f"http://127.0.0.1:{port}"
        self.url = f"{self._root}/v1"
        self.pid = pid

    def script(self, script: object = ()) -> None:
        """Set a new script (see :mod:`.script`), count questions from 0 again and forget what was asked."""
        data = json.dumps(list(script) if isinstance(script, tuple) else script).encode()
        with _open(Request(f"{self._root}/script", data, {"Content-Type": "application/json"})):
            pass

    def requests(self) -> list[Asked]:
        """Return what was asked since the last call of this or of ``script``, the key left out."""
        with _open(f"{self._root}/requests") as answer:
            asked: list[Asked] = json.load(answer)
        return asked

    def questions(self) -> list[ChatBody]:
        """Return the bodies of the chat completions among :meth:`requests`."""
        bodies = (asked["body"] for asked in self.requests() if asked["path"].endswith("/chat/completions"))
        return [body for body in bodies if body is not None]


@contextmanager
def running_standin(policy: str | None = None) -> Iterator[RunningStandIn]:
    """Run a stand-in on a free port of the loopback; it ends with the block, or with this process."""
    command = [sys.executable, "-m", "synthcity.agents.standin", "--port", "0", "--until-eof"]
    command += [] if policy is None else ["--policy", policy]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            if not line:
                raise RuntimeError(f"the stand-in ended at its start with code {process.wait()}")
            yield RunningStandIn(int(line), process.pid)
        finally:
            process.kill()
