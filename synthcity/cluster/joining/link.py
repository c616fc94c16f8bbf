"""The connection to one machine that ssh reaches: made again when it goes, until the machine is let go of or fails."""

from __future__ import annotations

import json
import logging
import os
import re
import select
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from synthcity.cluster.folder import Folder
from synthcity.cluster.joining import ssh
from synthcity.cluster.joining.node import END, TUNNEL
from synthcity.cluster.joining.parcel import PATIENCE_SECONDS, packed
from synthcity.cluster.joining.transport import Reached
from synthcity.cluster.layout import Place
from synthcity.cluster.notes import Notes, plain
from synthcity.cluster.plan import Plan
from synthcity.private import without_secrets

_TICK = 0.5  # seconds between two signs of life
_SEND_SECONDS = 120.0
_GOODBYE_SECONDS = 5.0
_LONGEST_PAUSE = 10.0
_MOST_SAID = 1 << 20  # bytes of lines and errors on one connection
_HERE = "~/.synthcity-node"  # on the machine; short, since sockets lie below it
# a machine that runs a node already, of a head before this one, is not sent anything
_SEND = (
    f"umask 077; d={_HERE}; if [ -e $d/node.py ]; then cat >/dev/null; "
    "else rm -rf $d.part; mkdir -p $d.part && tar -x -C $d.part -f - && mv $d.part $d; fi "
    "&& exec python3 $d/node.py start"
)
_FOLLOW = f"exec python3 {_HERE}/node.py follow"
_OTHER_KEY = re.compile("REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed")
_log = logging.getLogger(__name__)


class Link(threading.Thread):
    """One machine, from before it answers until it is let go of."""

    def __init__(self, machine: Reached, folder: Folder, plan: Plan, peers: list[Place], notes: Notes) -> None:
        super().__init__(name=f"synthcity-{machine.name}", daemon=True)
        self.failure = ""
        self._machine, self._folder, self._plan, self._peers, self._notes = machine, folder, plan, peers, notes
        self._parted = threading.Event()
        self._for_good = False
        self._is_sent = self._is_open = False
        self._heard = 0  # lines of what the machine said
        self._last = ("starting", "waits for it to answer")
        self._answered = time.monotonic() if machine.joined else None  # when it was last known to be there

    def part(self, *, for_good: bool) -> None:
        """Let go of it; ``for_good`` lets it end itself, too."""
        self._for_good = for_good
        self._parted.set()

    def run(self) -> None:
        """Try until the machine is let go of, or fails."""
        pause = 0.0
        try:
            self._notes.tell(self._machine, *self._last)
            while not self._parted.wait(pause) and not self.failure:
                before = time.monotonic()
                try:
                    self._turn()
                except OSError as error:  # of this machine, such as by a full disk
                    self._judge(255, str(error))
                lasted = time.monotonic() - before
                pause = _TICK if lasted > _LONGEST_PAUSE else min(_LONGEST_PAUSE, max(_TICK, 2 * pause))
        except Exception as error:  # noqa: BLE001 (else nobody would be told, as this runs on a thread)
            _log.exception("machine %s", self._machine.name)
            self._fail(f"the connection to it cannot be kept: {error}")
        self._parted.wait()
        self._notes.close(self._machine, keep=bool(self.failure))
        if self._for_good:
            ssh.known_hosts(self._folder, self._machine.name).unlink(missing_ok=True)

    def _turn(self) -> None:
        """Get as far as one connection does."""
        if not self._is_sent:
            content = packed(self._machine, self._folder, self._plan)
            self._is_sent = self._talk(_SEND, content=content)
            if not self._is_sent:
                return
        if self._is_open:
            self._talk(f"{_FOLLOW} {TUNNEL}", peers=self._peers)
        else:
            self._talk(_FOLLOW)

    def _talk(self, words: str, *, content: bytes | None = None, peers: list[Place] | None = None) -> bool:
        """Run something there, with ``content`` or signs of life as its input; return whether it went well."""
        with self._connection(ssh.command(self._machine, self._folder, words, peers=peers)) as (child, errors):
            if content is None:
                self._listen(child, errors, is_tunnel=peers is not None)
            else:
                sender = threading.Thread(target=_send, args=(child, content), daemon=True)
                sender.start()
                limit = time.monotonic() + _SEND_SECONDS
                while child.poll() is None and time.monotonic() < limit and not self._parted.wait(0.05):
                    if self._is_flooded(_size(errors)):
                        break
            code = child.poll()
            errors.seek(0)
            text = errors.read(_MOST_SAID).decode(errors="replace").strip()
        self._judge(code, text)
        return code == 0

    def _listen(self, child: subprocess.Popen[bytes], errors: IO[bytes], *, is_tunnel: bool) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        rest, count, size, handle = b"", 0, 0, child.stdout.fileno()
        while not self._is_flooded(size + _size(errors)):
            word = END if self._parted.is_set() and self._for_good else ""
            with suppress(BrokenPipeError):
                os.write(child.stdin.fileno(), f"{word}\n".encode())
            if self._parted.is_set():
                with suppress(subprocess.TimeoutExpired):
                    child.wait(_GOODBYE_SECONDS if self._for_good else 0.0)
                return
            if not select.select([handle], [], [], _TICK)[0]:
                if count:  # it says nothing while all is well
                    self._answered = time.monotonic()
                continue
            read = os.read(handle, 65_536)
            if not read:
                child.wait()
                return
            size += len(read)
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                count += 1
                if count > self._heard:  # it repeats what it said before
                    self._heard = count
                    self._take(line)
            if not self.failure:
                self._notes.tell(self._machine, *self._last)
            self._answered = time.monotonic()
            if self._is_open and not is_tunnel:
                return  # for a connection that carries ports

    def _take(self, line: bytes) -> None:
        try:
            said = json.loads(line)
            kind, text = str(said["kind"]), str(said["text"])
        except (ValueError, TypeError, KeyError, RecursionError):
            self._fail("what it says is nothing that a node says")
            return
        if kind == "over":
            self._fail(text)
            return
        self._is_open = self._is_open or kind in ("open", "joined")
        self._last = ("joined" if kind == "joined" else "starting", text)

    def _is_flooded(self, size: int) -> bool:
        """Fail where a machine would fill the memory or the disk of this one with what it says on a connection."""
        if size > _MOST_SAID:
            self._fail(f"it said more than {_MOST_SAID >> 20} MiB, which no node does")
        return size > _MOST_SAID

    def _judge(self, code: int | None, text: str) -> None:
        """Say what the end of a connection means; most of them mean that it is tried again."""
        if self._parted.is_set() or self.failure:
            return
        last = text.splitlines()[-1] if text else ""
        if _OTHER_KEY.search(text):
            self._fail("it shows another host key than was first seen, so it may be another machine")
        elif code == 127:
            self._fail("it has no python3, which what runs on it needs; let `prepare` of the cluster file install it")
        elif code not in (0, None, 255) and "node.py" in text:
            self._fail(f"what ran on it is gone ({last})")
        elif self._answered is not None and time.monotonic() - self._answered > PATIENCE_SECONDS:
            self._fail(f"it has not answered for {PATIENCE_SECONDS:g} seconds, after which it ends itself")
        elif code:
            state = "lost" if self._is_open else "starting"
            self._notes.tell(self._machine, state, f"tried again: {last or f'ssh ended with {code}'}")

    def _fail(self, why: str) -> None:
        self.failure = plain(f"machine {self._machine.name}: {why}")
        self._notes.tell(self._machine, "failed", why)

    @contextmanager
    def _connection(self, command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
        """Begin a process of ssh, which is gone afterwards; its errors are in the file."""
        with tempfile.TemporaryFile() as errors:
            child = subprocess.Popen(
                command,
                env=without_secrets(os.environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
            try:
                yield child, errors
            finally:
                child.kill()
                child.wait()
                for pipe in (child.stdin, child.stdout):
                    assert pipe is not None
                    with suppress(BrokenPipeError):
                        pipe.close()


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _send(child: subprocess.Popen[bytes], content: bytes) -> None:
    assert child.stdin is not None
    with suppress(OSError, ValueError):  # it ended before it had all, and tells why by itself
        child.stdin.write(content)
        child.stdin.close()
