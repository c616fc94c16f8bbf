"""Messages over a pipe: what goes in comes out, and what is none or too much is never read."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from synthcity.authored.locked.wire import MAX_HEADER, Closed, Late, Malformed, Message, receive, send


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def soon() -> float:
    return time.monotonic() + 20.0


def raw(head: object) -> bytes:
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return len(text).to_bytes(8, "big") + text


def test_a_message_comes_back_whatever_its_size(pipe: tuple[int, int]) -> None:
    arrays = {
        "large": np.random.default_rng(1).random((300, 500)),
        "turned": np.arange(12, dtype=np.int64).reshape(3, 4).T,
        "empty": np.zeros((0, 3), dtype=np.float32),
        "number": np.float64(3.5) * np.ones(()),
    }
    thread = threading.Thread(target=send, args=(pipe[1], Message({"a": [1, "b"]}, arrays), soon()))
    thread.start()
    found = receive(pipe[0], soon())
    thread.join()
    assert found.values == {"a": [1, "b"]}
    assert found.arrays.keys() == arrays.keys()
    for name, value in arrays.items():
        np.testing.assert_array_equal(found.arrays[name], value)
        assert found.arrays[name].dtype == value.dtype
        assert found.arrays[name].shape == value.shape


SHAPES = {"x": ((2, 3), "float64")}
HEADS = {
    "no JSON": b"{",
    "not a number": b'{"values": {"a": NaN}, "arrays": []}',
    "a tower": b"[" * 5000,
    "a list": [1],
    "nothing": {},
    "no values": {"values": 3, "arrays": []},
    "no array at all": {"values": {}, "arrays": []},
    "another array": {"values": {}, "arrays": [["y", "float64", [2, 3]]]},
    "an array more": {"values": {}, "arrays": [["x", "float64", [2, 3]], ["y", "float64", [2, 3]]]},
    "another shape": {"values": {}, "arrays": [["x", "float64", [3, 2]]]},
    "a giant": {"values": {}, "arrays": [["x", "float64", [2**60]]]},
    "less than nothing": {"values": {}, "arrays": [["x", "float64", [-2, -3]]]},
    "numbers without end": {"values": {}, "arrays": [["x", "float64", [10**4000]]]},
    "another type": {"values": {}, "arrays": [["x", "int64", [2, 3]]]},
    "objects": {"values": {}, "arrays": [["x", "O", [2, 3]]]},
    "a record": {"values": {}, "arrays": [["x", "i4,f8", [2, 3]]]},
    "no text": {"values": {}, "arrays": [["x", ["float64"], [2, 3]]]},
    "an error with a load": {"values": {"error": "x"}, "arrays": [["x", "float64", [2**40]]]},
    "half an entry": {"values": {}, "arrays": [["x", "float64"]]},
}


@pytest.mark.parametrize("name", HEADS)
def test_what_was_not_asked_for_is_not_read(name: str, pipe: tuple[int, int]) -> None:
    os.write(pipe[1], raw(HEADS[name]))
    with pytest.raises(Malformed):
        receive(pipe[0], soon(), SHAPES)


def test_an_error_needs_no_arrays(pipe: tuple[int, int]) -> None:
    send(pipe[1], Message({"error": "it failed"}))
    assert receive(pipe[0], soon(), SHAPES).values == {"error": "it failed"}


def test_a_long_header_is_not_read(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], (MAX_HEADER + 1).to_bytes(8, "big"))
    with pytest.raises(Malformed, match="header of its answer has"):
        receive(pipe[0], soon())


def test_whoever_is_silent_is_late(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], raw({"values": {}, "arrays": [["x", "float64", [2, 3]]]}) + b"1234")
    with pytest.raises(Late):
        receive(pipe[0], time.monotonic() + 0.05, SHAPES)


def test_whoever_does_not_read_is_late(pipe: tuple[int, int]) -> None:
    with pytest.raises(Late):
        send(pipe[1], Message(arrays={"x": np.zeros(10**6)}), time.monotonic() + 0.05)


def test_a_closed_end_is_told(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"12")
    os.close(pipe[1])
    with pytest.raises(Closed):
        receive(pipe[0], soon())
    again = os.pipe()
    os.close(again[0])
    with pytest.raises(Closed):
        send(again[1], Message())
    os.close(again[1])
