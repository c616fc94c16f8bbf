"""The worker of features, for a text that gets all of Python, as if the reading had let everything through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synthcity.authored import numeric
from synthcity.authored.locked.forked import FILE
from synthcity.authored.locked.wire import Message
from synthcity.authored.numeric import prepare
from synthcity.authored.vocabulary import Vocabulary

__all__ = ["begin", "prepare"]


def begin(message: Message) -> Callable[[Message], Message]:
    """Do what the true worker does."""
    numeric.execute = _execute
    return numeric.begin(message)


def _execute(source: str, vocabulary: Vocabulary) -> dict[str, Any]:
    space: dict[str, Any] = {}
    exec(compile(source, FILE, "exec"), space)
    return space
