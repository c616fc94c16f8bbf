"""The process of one tracker: records in, one line back for each that was taken.

``python -m synthcity.search.tracking.child NAME``. Where a tracker hangs, this process hangs with it and nothing else
does; once no more can come, it ends itself when it has taken nothing for ``PATIENCE_SECONDS``, also where whoever
started it was killed.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
import threading
from typing import IO, cast

from synthcity.search.tracking.sinks.sink import Open, Record, Sink

PATIENCE_SECONDS = 20.0
_LONGEST = 300  # characters of what is told back


def main(name: str) -> None:
    """Drive the sink of this name until the end is told or nothing can come any more."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # which `ray job stop` sends to all: the search tells when to end
    records, answers = _own_pipes()
    is_busy = threading.Event()
    threading.Thread(target=_end_when_left, args=(records.fileno(), is_busy), daemon=True).start()

    def tell(**told: str) -> None:
        is_busy.set()
        answers.write(json.dumps({key: _clean(text) for key, text in told.items()}) + "\n")
        answers.flush()

    try:
        opened = cast(Open, importlib.import_module(f"synthcity.search.tracking.sinks.{name}").open_sink)
        sink: Sink | None = None
        for line in records:
            record: Record = json.loads(line)
            if record["what"] == "run":
                sink = opened(record, lambda text: tell(note=text))
            elif sink is not None and record["what"] == "log":
                sink.log(record["step"], record["values"])
            elif sink is not None and record["what"] == "end":
                tell(done=sink.end(record["values"], record.get("row")))
                break
            tell()
    except Exception as error:  # noqa: BLE001 - a tracker may fail in any way, and whoever started us says so
        tell(failed=f"{type(error).__name__}: {error}")
    finally:
        _end_in(PATIENCE_SECONDS)  # a library may have work of its own at the end


def _own_pipes() -> tuple[IO[str], IO[str]]:
    """Keep records and answers to ourselves: libraries print to nowhere, and what they start holds no pipe of ours."""
    records = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    return records, answers


def _end_when_left(pipe: int, is_busy: threading.Event) -> None:
    """End this process once nobody can write to ``pipe`` and nothing was taken for long, wherever it hangs."""
    left = select.poll()
    left.register(pipe, 0)  # the end is told in any case, and nothing else is asked for
    left.poll()
    while is_busy.wait(PATIENCE_SECONDS):
        is_busy.clear()
    os._exit(1)


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
