"""No text gets out of a locked child, whatever it says: see ``escapes``."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from synthcity.authored.locked.forks import ForkServer, Misbehaved
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.authored.locked.wire import Message
from tests.authored.locked.escapes import ESCAPES, LATE, SLOW

LIMITS = SandboxLimits(cpu_seconds=4, wall_seconds=20.0, memory_bytes=192 << 20)


@dataclass(frozen=True, kw_only=True)
class World:
    """What a text could reach: two files, and a server that nobody may come to."""

    folder: Path
    listening: socket.socket
    server: ForkServer

    def fill(self, text: str) -> str:
        values = {
            "secret": self.folder / "secret",
            "victim": self.folder / "victim",
            "folder": self.folder,
            "parent": os.getpid(),
            "port": self.listening.getsockname()[1],
        }
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def check(self) -> None:
        assert sorted(path.name for path in self.folder.iterdir()) == ["secret", "victim"]
        assert (self.folder / "victim").read_text() == "as it was"
        assert (self.folder / "victim").stat().st_mode & 0o777 == 0o644
        self.listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            self.listening.accept()
        assert self.server.alive


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    (folder / "secret").write_text("the key")
    (folder / "victim").write_text("as it was")
    (folder / "victim").chmod(0o644)
    folder.chmod(0o777)
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as listening:
        patch.setenv("CHUTES_API_KEY", "cpk_secret")
        with ForkServer("tests.authored.locked.hostile") as server:
            yield World(folder=folder, listening=listening, server=server)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in ESCAPES]
)
def test_nothing_gets_out(name: str, world: World) -> None:
    source, expected = ESCAPES[name]
    shapes = {"answer": ((3,), "float64")} if name.startswith("lies: ") else {}
    seconds = 8.0 if name in SLOW else 0.2 if expected == LATE else None
    with world.server.fork(LIMITS) as child:
        child.call(Message())
        try:
            found = child.call(Message({"source": world.fill(source)}), shapes, seconds=seconds)
            outcome = str(found.values.get("result"))
        except Misbehaved as error:
            outcome = str(error)
    assert re.search(expected, outcome), outcome
    assert len(outcome) <= 2100
    assert outcome.replace("\n", "").isprintable()
    assert "the key" not in outcome
    assert "cpk_secret" not in outcome
    world.check()


def test_there_are_more_than_a_hundred() -> None:
    assert len(ESCAPES) > 140
