"""What was counted lately: figures only grow, so the last minutes are a difference."""

from __future__ import annotations

from collections import deque

from synthcity.serve.answering.metrics import Figures

WINDOW_SECONDS = 600.0
_EVERY_SECONDS = 10.0


class Recent:
    """Remembers figures of the last ten minutes."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Figures]] = deque()

    def of(self, now: float, figures: Figures) -> tuple[Figures, float]:
        """Return what was counted since the oldest figures remembered, and how many seconds ago those are."""
        if self._seen and _has_shrunk(self._seen[-1][1], figures):  # other replicas, which count from nothing
            self._seen.clear()
        if not self._seen:
            self._seen.append((now, Figures()))
        elif now - self._seen[-1][0] >= _EVERY_SECONDS:
            self._seen.append((now, figures))
        while len(self._seen) > 1 and self._seen[1][0] <= now - WINDOW_SECONDS:
            self._seen.popleft()
        since, before = self._seen[0]
        counters = {
            key: count - before.counters.get(key, 0.0)
            for key, count in figures.counters.items()
            if count > before.counters.get(key, 0.0)
        }
        return Figures(counters=counters), now - since


def _has_shrunk(before: Figures, now: Figures) -> bool:
    return any(now.counters.get(key, 0.0) < count for key, count in before.counters.items())
