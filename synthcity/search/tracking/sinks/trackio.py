"""Trackio: its database on this machine, and nothing else; ``trackio sync`` sends it later.

The history reads ``row`` there again, see ``history.trackio``.
"""

from __future__ import annotations

from collections.abc import Callable

import trackio

from synthcity.search.tracking.sinks.sink import RunTold, Values


class TrackioSink:
    """One run of Trackio."""

    def __init__(self, run: RunTold, note: Callable[[str], None]) -> None:
        """Open the run; a second one of the same name stands beside the first."""
        self._project, self._name = run["project"], run["name"]
        self._step = 0
        config = {**run["config"], "synthcity_run": run["id"]}
        trackio.init(
            run["project"], name=run["name"], config=config, embed=False, auto_log_gpu=False, auto_log_cpu=False
        )

    def log(self, step: int, values: Values) -> None:
        """See ``Sink``."""
        self._step = step
        trackio.log(dict(values), step=step)

    def end(self, values: Values, row: Values | None) -> str:
        """See ``Sink``."""
        if values or row:
            trackio.log({**values, **({"row": dict(row)} if row else {})}, step=self._step + 1)
        trackio.finish()  # type: ignore[no-untyped-call]
        return f"project {self._project}, run {self._name}"


open_sink = TrackioSink
