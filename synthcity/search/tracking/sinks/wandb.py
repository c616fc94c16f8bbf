"""Weights & Biases: offline, unless there is a key.

A server that does not answer costs ten seconds and then the run is kept offline, to be sent by ``wandb sync`` later.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import wandb

from synthcity.search.tracking.sinks.sink import RunTold, Values

_PATIENCE_SECONDS = 10.0


class WandbSink:
    """One run of W&B; figures of an event share its number as their step."""

    def __init__(self, run: RunTold, note: Callable[[str], None]) -> None:
        """Open the run; ``note`` is told where it had to be kept offline."""
        mode = os.environ.get("WANDB_MODE") or ("online" if os.environ.get("WANDB_API_KEY") else "offline")
        try:
            self._run = self._open(run, mode)
        except wandb.errors.Error as error:
            if mode == "offline":
                raise
            why = type(error).__name__
            note(f"W&B did not open the run ({why}); it is kept offline, and `wandb sync` sends it later")
            self._run = self._open(run, "offline")

    def _open(self, run: RunTold, mode: str) -> wandb.Run:
        quiet = wandb.Settings(
            init_timeout=_PATIENCE_SECONDS,
            console="off",
            disable_code=True,
            disable_git=True,
            silent=True,
            x_disable_meta=True,
            x_disable_machine_info=True,
        )
        return wandb.init(
            project=run["project"],
            name=run["name"],
            id=run["id"],
            dir=run["folder"],
            config=run["config"],
            mode=mode,  # type: ignore[arg-type]
            resume="allow" if mode == "online" else None,
            settings=quiet,
        )

    def log(self, step: int, values: Values) -> None:
        """See ``Sink``."""
        self._run.log(dict(values), step=step)

    def end(self, values: Values, row: Values | None) -> str:
        """See ``Sink``."""
        self._run.summary.update(dict(values))
        where = self._run.url or str(os.path.dirname(self._run.dir))
        self._run.finish()
        return where


open_sink = WandbSink
