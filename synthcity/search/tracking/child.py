"""The process of one tracker: records in, one line back for each that was taken.

``python -m synthcity.search.tracking.child NAME``. Where a tracker hangs, this process hangs with it and nothing else
does; once no more can come, it ends itself within ``PATIENCE_SECONDS``, also where whoever started it was killed.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from typing import IO, cast

from synthcity.search.tracking.sinks.sink import Open, Record, Sink

PATIENCE_SECONDS = 20.0
_LONGEST = 300  # characters of what is told back


def main(name: str) -> None:
    """Drive the sink of this name until the end is told or nothing can come any more."""
    answers = _own_output()

    def tell(**told: str) -> None:
        answers.write(json.dumps({key: _clean(text) for key, text in told.items()}) + "\n")
        answers.flush()

    try:
        opened = cast(Open, importlib.import_module(f"synthcity.search.tracking.sinks.{name}").open_sink)
        sink: Sink | None = None
        for line in sys.stdin:
            record: Record = json.loads(line)
            if record["what"] == "run":
                sink = opened(record, lambda text: tell(note=text))
            elif sink is not None and record["what"] == "log":
                sink.log(record["step"], record["values"])
            elif sink is not None and record["what"] == "end":
                _end_in(PATIENCE_SECONDS)
                tell(done=sink.end(record["values"], record.get("row")))
                break
            tell()
    except Exception as error:  # noqa: BLE001 - a tracker may fail in any way, and whoever started us says so
        tell(failed=f"{type(error).__name__}: {error}")
    _end_in(PATIENCE_SECONDS)


def _own_output() -> IO[str]:
    """Keep standard output for our answers; what libraries print goes nowhere."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def _clean(text: str) -> str:
    for name, value in os.environ.items():
        if name.endswith("_KEY") and value:
            text = text.replace(value, f"<{name}>")
    return " ".join(text.split())[:_LONGEST]


def _end_in(seconds: float) -> None:
    timer = threading.Timer(seconds, os._exit, [1])
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    main(sys.argv[1])
