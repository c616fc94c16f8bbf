"""Features that a language model wrote: from a text to columns, causal by construction.

A file over NumPy alone that defines one or both of ::

    NAME = "minute_bursts"          # 3 to 32 characters
    LOOKBACK_DAYS = 14              # of history that it is given
    PAST = ("level",)               # names of the columns of past
    FUTURE = ("burst",)             # names of the columns of future

    def past(history):              # -> (assets, len(PAST)): what is told of the past at history.now
    def future(history, times):     # -> (assets, len(times), len(FUTURE)): of steps that end at ``times``

It runs in locked children (:mod:`.forks`). For each time that is asked for it is given what was known then and no more:
rows are sent in the order of time, so that no child ever holds a later one. Values must be finite. What it answers must
not hang on the calls before; some times are asked again in a fresh child, and other answers are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from synthcity.authored.declared import Declared, digest
from synthcity.authored.history import Floats, Times
from synthcity.authored.locked.forks import Child, Misbehaved, shared_server
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.authored.locked.wire import Message
from synthcity.authored.panel import Panel
from synthcity.authored.reading import Reader, Refused, parse, refuse
from synthcity.authored.vocabulary import NUMPY
from synthcity.durations import DAY
from synthcity.seeds import hash_seed

WORKER = "synthcity.authored.numeric"
LIMITS = SandboxLimits(cpu_seconds=600, wall_seconds=60.0, memory_bytes=512 << 20)
_ARGUMENTS = {"past": ("history",), "future": ("history", "times")}
SECONDS = 300.0  # of a CPU, for all calls about one set of times: each may take 0.05 s, and a thousand are many
_AGAIN = 3  # times that are asked again
_SAME = 1e-9  # relative; sums in another order are no memory


@dataclass(frozen=True, kw_only=True)
class FeatureSource:
    """A text that was read: what it is called, what it gives, and how much history it wants.

    ``past`` and ``future`` name the columns of the function of that name, empty where it has none; ``about`` is the
    docstring's first line.
    """

    name: str
    about: str
    past: tuple[str, ...]
    future: tuple[str, ...]
    lookback_days: float
    source: str
    sha256: str

    @classmethod
    def of(cls, source: str) -> FeatureSource:
        """Read a text; nothing of it runs.

        Raises:
            Refused: it says what it may not, or lacks what it must have; one line a finding.
        """
        tree = parse(source)
        declared = Declared(tree)
        functions = [found for name, arguments in _ARGUMENTS.items() for found in declared.columns(name, arguments)]
        if not declared.functions.keys() & _ARGUMENTS.keys():
            functions.append((1, "the file defines past(history), future(history, times) or both"))
        refuse([*Reader(tree, NUMPY).findings(), *declared.findings(), *functions])
        return cls(
            name=declared.name,
            about=declared.about,
            past=declared.names("PAST"),
            future=declared.names("FUTURE"),
            lookback_days=declared.lookback_days,
            source=source,
            sha256=digest(source),
        )


class Feature:
    """An opened feature; see :func:`open_feature`. ``cpu_seconds`` is what its children have used that are gone."""

    def __init__(self, source: FeatureSource, panel: Panel, limits: SandboxLimits) -> None:
        self.source = source
        self._panel, self._limits = panel, limits
        self._child: Child | None = None
        self._until: int | None = None  # what the child knows of
        self.cpu_seconds = 0.0

    def past(self, times: Times) -> Floats:
        """Return (n, assets, columns) as known at each of ``times`` (n,), unix seconds in any order.

        Raises:
            Misbehaved: the code failed, hung, answered with something else or by what it was asked before, or took
                more than ``SECONDS`` for all of them.
            Refused: the file has no such function.
        """
        return self._asked("past", self.source.past, times, None)

    def future(self, times: Times, ends: Times) -> Floats:
        """Return (n, assets, steps, columns): what was known at ``times`` (n,) of steps ending at ``ends`` (n, steps).

        Raises:
            Misbehaved: as :meth:`past`.
            Refused: the file has no such function.
        """
        return self._asked("future", self.source.future, times, ends)

    def close(self) -> None:
        """End its child."""
        if self._child is not None:
            self._child.close()
            self.cpu_seconds += self._child.cpu_seconds
        self._child = self._until = None

    def _used(self) -> float:
        """CPU seconds of all its children so far: a busy machine takes nothing from it."""
        return self.cpu_seconds + (0.0 if self._child is None else self._child.cpu_time())

    def _asked(self, call: str, columns: tuple[str, ...], times: Times, ends: Times | None) -> Floats:
        if not columns:
            raise Refused(f"the feature {self.source.name} has no function {call}")
        times = np.asarray(times, dtype=np.int64)
        tail = () if ends is None else (ends.shape[1],)
        found = np.empty((len(times), len(self._panel.assets), *tail, len(columns)))
        order = np.argsort(times, kind="stable")
        before = self._used()
        try:
            for done, n in enumerate(order):
                if self._used() - before > SECONDS:
                    raise Misbehaved(f"{call} took more than {SECONDS:g} s of a CPU for {done} of {len(order)} times")
                found[n] = self._one(call, int(times[n]), None if ends is None else ends[n], found.shape[1:])
            for n in self._sampled(call, order):
                self.close()
                again = self._one(call, int(times[n]), None if ends is None else ends[n], found.shape[1:])
                if not np.allclose(again, found[n], rtol=_SAME, atol=_SAME):
                    raise Misbehaved(f"{call} gives other values when it was asked nothing before")
        except Misbehaved as error:
            self.close()
            raise Misbehaved(f"the feature {self.source.name}: {error}") from None
        return found

    def _sampled(self, call: str, order: np.ndarray) -> list[int]:
        """The last one, when most had been asked before, and some by chance: the same ones each time for a text."""
        if len(order) < 2:
            return []
        rng = np.random.default_rng(hash_seed(self.source.sha256, call))
        draw = rng.choice(order[:-1], min(_AGAIN, len(order)) - 1, replace=False)
        return [int(order[-1]), *map(int, draw)]

    def _one(self, call: str, now: int, ends: Times | None, shape: tuple[int, ...]) -> Floats:
        if self._child is None or self._until is None or now < self._until:
            self.close()
            self._child = self._open()
        news = self._panel.between(self._until, now, self.source.lookback_days)
        arrays = dict(news.arrays) if ends is None else {**news.arrays, "ends": np.asarray(ends, dtype=np.int64)}
        self._until = now
        answer = self._child.call(Message({**news.values, "call": call}, arrays), {"answer": (shape, "float64")})
        return answer.arrays["answer"]

    def _open(self) -> Child:
        child = shared_server(WORKER).fork(self._limits)
        child.call(opening(self.source.source, self._panel, self.source.lookback_days))
        return child


def opening(source: str, panel: Panel, days: float) -> Message:
    """Return the first message of a child: the text, and what it will be sent."""
    values = {"source": source, "assets": list(panel.assets), "resolution": panel.resolution}
    return Message({**values, "rows": panel.rows(days), "seconds": round(days * DAY)})


@contextmanager
def open_feature(source: FeatureSource, panel: Panel, limits: SandboxLimits = LIMITS) -> Iterator[Feature]:
    """Yield a feature whose code runs in locked children; times and assets are those of ``panel``.

    Raises:
        NotIsolated: no process can be locked here.
    """
    feature = Feature(source, panel, limits)
    try:
        yield feature
    finally:
        feature.close()
