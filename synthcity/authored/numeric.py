"""What a locked child does for features and forecasters: it keeps the past that it was sent and asks the foreign code.

A child is sent every row once, in the order of time, and never one that was not known at the time of the call.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from synthcity.authored.execution import execute
from synthcity.authored.history import Bars, Floats, History, Noise, Series, Times
from synthcity.authored.locked.wire import Message
from synthcity.authored.vocabulary import NUMPY

COLUMNS = ("open", "high", "low", "close", "volume")


def prepare() -> None:
    """Load what a text may import."""
    for name in (*NUMPY.modules, *NUMPY.names):
        importlib.import_module(name)
    # what NumPy loads of itself when it needs it
    for name in ("ma", "_core._dtype", "_core._exceptions", "_core._internal", "_core._methods", "_core.arrayprint"):
        importlib.import_module(f"numpy.{name}")
    np.random.default_rng(0).standard_normal(2)
    np.linalg.solve(np.eye(2), np.ones(2))
    np.fft.rfft(np.ones(4))
    np.array2string(np.ones(2))  # errors show arrays
    np.lib.stride_tricks.sliding_window_view(np.ones(4), 2)


def begin(message: Message) -> Callable[[Message], Message]:
    """Run the text; {"source", "assets", "resolution", "rows": {resolution: rows}, "seconds": of series}."""
    defined = execute(str(message.values["source"]), NUMPY)
    past = _Past(message.values)

    def answer(asked: Message) -> Message:
        known = past.extended(asked)
        with np.errstate(all="ignore"):
            return Message(arrays={"answer": _ask(defined, known, asked)})

    return answer


def _ask(defined: Mapping[str, Any], history: History, asked: Message) -> Floats:
    kind = asked.values["call"]
    if kind == "past":
        found = defined["past"](history)
    elif kind == "future":
        found = defined["future"](history, _shut(asked.arrays["ends"]))
    else:
        ends = asked.arrays["ends"]
        draws = np.random.default_rng(int(asked.values["seed"]))
        shape = (int(asked.values["paths"]), len(ends))
        noise = Noise(normal=_shut(draws.standard_normal(shape)), uniform=_shut(draws.random(shape)))
        told = replace(history, expected=_shut(asked.arrays["expected"]))
        found = defined["forecast"](told, int(asked.values["asset"]), _shut(ends), noise)
    return np.asarray(found, dtype=np.float64)


class _Past:
    """The rows that were sent, as far back as the file asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._assets = tuple(str(name) for name in values["assets"])
        self._resolution = int(values["resolution"])
        self._seconds = int(values["seconds"])
        self._bars = {int(key): (_Window(int(rows)), _Window(int(rows))) for key, rows in values["rows"].items()}
        self._series: dict[str, tuple[Times, Floats]] = {}

    def extended(self, message: Message) -> History:
        """Take the new rows of a message and return all that is known at its time."""
        arrays, now = message.arrays, int(message.values["now"])
        bars = {}
        for resolution, (time, values) in self._bars.items():
            time.push(arrays[f"bars {resolution} time"])
            values.push(arrays[f"bars {resolution}"])
            columns = np.moveaxis(values.view(), -1, 0)
            bars[resolution] = Bars(time=time.view(), **{name: columns[n] for n, name in enumerate(COLUMNS)})
        series = {}
        for name in message.values["series"]:
            time_m, value_m = arrays[f"series {name} time"], arrays[f"series {name}"]
            if name in self._series:
                time_m = np.concatenate([self._series[name][0], time_m])
                value_m = np.concatenate([self._series[name][1], value_m])
            recent = time_m > now - self._seconds
            self._series[name] = time_m[recent], value_m[recent]
            series[name] = Series(time=_shut(time_m[recent]), value=_shut(value_m[recent]))
        return History(now=now, assets=self._assets, resolution=self._resolution, bars=bars, series=series)


class _Window:
    """The last ``rows`` rows of what was pushed."""

    def __init__(self, rows: int) -> None:
        self._rows, self._end = rows, 0
        self._kept: np.ndarray | None = None

    def push(self, new: np.ndarray) -> None:
        new = new[-self._rows :]
        if self._kept is None:
            self._kept = np.empty((2 * self._rows, *new.shape[1:]), new.dtype)
        if self._end + len(new) > len(self._kept):
            keep = min(self._end, self._rows)
            self._kept[:keep] = self._kept[self._end - keep : self._end].copy()
            self._end = keep
        self._kept[self._end : self._end + len(new)] = new
        self._end += len(new)

    def view(self) -> np.ndarray:
        assert self._kept is not None
        return _shut(self._kept[max(0, self._end - self._rows) : self._end])


def _shut(values: np.ndarray) -> np.ndarray:
    view = values.view()
    view.flags.writeable = False
    return view
