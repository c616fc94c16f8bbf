"""What a locked process runs in these tests: source as it stands, neither read nor short of a builtin."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy

from synthcity.authored.locked import wire
from synthcity.authored.locked.wire import Message


def prepare() -> None:
    """Have at hand whatever an attempt may want, so that it fails for no other reason than the lock."""
    import asyncio  # noqa: F401
    import ctypes  # noqa: F401
    import encodings.idna  # noqa: F401
    import http.client  # noqa: F401
    import mmap  # noqa: F401
    import multiprocessing.shared_memory  # noqa: F401
    import os  # noqa: F401
    import pickle  # noqa: F401
    import shutil  # noqa: F401
    import signal  # noqa: F401
    import socket  # noqa: F401
    import sqlite3  # noqa: F401
    import subprocess  # noqa: F401
    import threading  # noqa: F401
    import urllib.request  # noqa: F401

    import numpy  # noqa: F401


def run(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Execute {"source"} and return its variable ``result``."""
    space: dict[str, Any] = {}
    exec(payload["source"], space)
    return {"result": repr(space.get("result"))}


def begin(message: Message) -> Callable[[Message], Message]:
    """Do the same in a forked child: execute {"source"} each time, with the pipes at 0 and 1 and all of Python."""
    space: dict[str, Any] = {"Message": Message, "wire": wire, "np": numpy, "os": os, "first": message}

    def answer(asked: Message) -> Message:
        space["asked"] = asked
        exec(asked.values["source"], space)
        found = space.get("answer", Message({"result": repr(space.get("result"))}))
        assert isinstance(found, Message)
        return found

    return answer
