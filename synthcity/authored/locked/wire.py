"""Messages of plain values and arrays over a pipe; nothing that is read is ever evaluated or unpickled.

A message is a length, a JSON header and the bytes of its arrays. Whoever reads one says how much may come and until
when; what a locked child sends is held against what was asked for (:func:`expect`) before anybody looks at it.
"""

from __future__ import annotations

import json
import math
import os
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from synthcity import strict_json

MAX_HEADER = 1 << 18
_LENGTH = 8
_SMALL = 1 << 16  # bytes, which a pipe takes in one piece


Shapes = Mapping[str, tuple[tuple[int, ...], str]]
"""What a message must hold: the shape and type of each array by its name."""


class Closed(Exception):
    """The other side has gone."""


class Late(Exception):
    """It was not there in time."""


class Malformed(Exception):
    """It is no message, or more than may come."""


@dataclass(frozen=True, eq=False)
class Message:
    """Plain values, and arrays by name."""

    values: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


def send(descriptor: int, message: Message, until: float = math.inf) -> None:
    """Write a message; with a time (of ``time.monotonic``) the descriptor must not block.

    Raises:
        Closed: nobody reads.
        Late: not all was read in time.
    """
    arrays = {name: np.asarray(value, order="C") for name, value in message.arrays.items()}
    listed = [[name, value.dtype.name, list(value.shape)] for name, value in arrays.items()]
    head = json.dumps({"values": message.values, "arrays": listed}, allow_nan=False).encode()
    bodies = [memoryview(value.reshape(-1).view(np.uint8)) for value in arrays.values()]  # type: ignore[arg-type]
    parts = [memoryview(len(head).to_bytes(_LENGTH, "big") + head), *bodies]
    if sum(map(len, parts)) <= _SMALL:  # at once, so that the other side wakes up once
        parts = [memoryview(b"".join(parts))]
    for view in parts:
        while len(view):
            try:
                view = view[os.write(descriptor, view) :]
            except BlockingIOError:
                _wait(descriptor, until, reading=False)
            except BrokenPipeError as error:
                raise Closed from error


def receive(descriptor: int, until: float = math.inf, shapes: Shapes | None = None) -> Message:
    """Read a message; with a time the descriptor must not block.

    Args:
        descriptor: of a pipe.
        until: of ``time.monotonic``.
        shapes: what it must hold, nothing more and nothing less, but for a message that tells an "error" and holds
            nothing; None for whatever comes, from a side that is trusted.

    Raises:
        Closed: nobody writes.
        Late: it did not come in time.
        Malformed: it is none, or holds something else.
    """
    length = int.from_bytes(_read(descriptor, _LENGTH, until), "big")
    if length > MAX_HEADER:
        raise Malformed(f"the header of its answer has {length} bytes")
    try:
        head = strict_json.loads(bytes(_read(descriptor, length, until)))
        values = dict(head["values"])
        found = {str(name): (tuple(int(n) for n in shape), str(kind)) for name, kind, shape in head["arrays"]}
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise Malformed("the header of its answer cannot be read") from error
    if shapes is not None and not ("error" in values and not found):
        _hold(found, shapes)
    arrays = {}
    for name, (shape, kind) in found.items():
        body = _read(descriptor, math.prod(shape) * np.dtype(kind).itemsize, until)
        arrays[name] = np.frombuffer(body, dtype=kind).reshape(shape)
    return Message(values, arrays)


def _hold(found: Shapes, shapes: Shapes) -> None:
    if found.keys() != shapes.keys():
        raise Malformed(f"it gave {sorted(found)}, asked for {sorted(shapes)}"[:500])
    for name, (shape, kind) in shapes.items():
        if found[name] != (shape, kind):
            given = f"the shape {found[name][0]} and type {found[name][1]}"
            raise Malformed(f"its {name} has {given}, asked for {shape} of {kind}"[:500])


def _read(descriptor: int, size: int, until: float) -> bytearray:
    buffer = bytearray(size)
    view = memoryview(buffer)
    while len(view):
        try:
            got = os.readv(descriptor, [view]) if until < math.inf else _read_plainly(descriptor, view)
        except BlockingIOError:
            _wait(descriptor, until, reading=True)
            continue
        if not got:
            raise Closed
        view = view[got:]
    return buffer


def _read_plainly(descriptor: int, view: memoryview) -> int:
    """A locked child may call ``read`` alone."""
    part = os.read(descriptor, min(len(view), 1 << 20))
    view[: len(part)] = part
    return len(part)


def _wait(descriptor: int, until: float, *, reading: bool) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN if reading else select.POLLOUT)
    left = until - time.monotonic()
    if left <= 0 or not poll.poll(min(left, 3600.0) * 1000):
        raise Late
