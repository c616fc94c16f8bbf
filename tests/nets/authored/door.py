"""The door to locked children without a process behind it: what they do is done here, by function calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from synthcity.authored.locked.forks import Misbehaved
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.authored.locked.wire import Message, Shapes
from synthcity.nets import registry
from synthcity.nets.authored import inside, walled_network

Answer = Callable[[Message], Message]


class Here:
    """Stands in for a child and for the server that forks it; ``opened`` counts children, ``said`` is their last word.

    ``lie`` may change an answer before it goes out.
    """

    isolation = "none: a test"

    def __init__(self, lie: Callable[[Message, Message], Message] = lambda asked, answer: answer) -> None:
        self.opened, self.closed, self.seconds = 0, 0, 0.0
        self.heard: list[Message] = []
        self._lie = lie

    def fork(self, limits: SandboxLimits) -> HereChild:
        self.opened += 1
        return HereChild(self, self._lie)


class HereChild:
    isolation = Here.isolation

    def __init__(self, server: Here, lie: Callable[[Message, Message], Message]) -> None:
        self._server, self._lie, self._answer = server, lie, None

    def call(self, message: Message, shapes: Shapes | None = None, *, seconds: float | None = None) -> Message:
        self._server.heard.append(message)
        try:
            if self._answer is None:
                self._answer = _begin(message)
                return Message()
            answer = self._lie(message, self._answer(message))
        except Exception as error:  # noqa: BLE001 - as a child does
            raise Misbehaved(f"{type(error).__name__}: {error}") from None
        found = {name: (value.shape, value.dtype.name) for name, value in answer.arrays.items()}
        if found != dict(shapes or {}):
            raise Misbehaved(f"it gave {found}, asked for {shapes}")
        return answer

    def cpu_time(self) -> float:
        self._server.seconds += 1.0
        return self._server.seconds

    def close(self) -> None:
        self._server.closed += 1

    def __enter__(self) -> HereChild:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _begin(message: Message) -> Answer:
    """Run texts as a child would, in whose registry nothing stands for them."""
    codes: list[Mapping[str, str]] = message.values["codes"]
    standing = [registry.component(code["kind"], code["name"]) for code in codes]
    for entry in standing:
        registry.remove(entry.kind, entry.name)
    try:
        return inside.begin(message)
    finally:
        for entry in standing:
            registry.remove(entry.kind, entry.name)
            registry.add_authored(entry)


def open_here(monkeypatch: pytest.MonkeyPatch, here: Here) -> Here:
    monkeypatch.setattr(walled_network, "shared_server", lambda worker: here)
    return here
