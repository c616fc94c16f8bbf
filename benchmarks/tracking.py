"""What a tracker that hangs or fails costs a search; ``python -m benchmarks.tracking``.

The events of a search of ``--trials`` trials are recorded, each on the disk as ever, without trackers and with two that
hang, that fill their disk, or that keep all; all in one run, in turn. What recording takes more is held against the
shortest search that could tell so many events: one second of training a rung on one worker. The time at the end, up to
20 seconds for a tracker that is at work until then and none for one that hung before, is told apart.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import click

from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.tracking import trackers as module
from synthcity.search.tracking.feed import Feed
from synthcity.search.tracking.trackers import Trackers
from tests.search.sample_run import journal, sample_report

HANGS = "import threading; threading.Event().wait()"
FULL = (
    "import json, sys; [sys.stdin.readline() for _ in range(9)]\n"
    "print(json.dumps({'failed': 'OSError: no space left on the device'}), flush=True)"
)
KEEPS = (
    "import json, sys\n"
    "for line in sys.stdin: print(json.dumps({'done': 'there'} if '\"end\"' in line else {}), flush=True)"
)
SCRIPTS = {"none": "", "keep": KEEPS, "hang": HANGS, "full disk": FULL}


def recording(script: str, trials: int, patience: float = 20.0) -> tuple[float, float, list[str]]:
    """Return the seconds of recording a search, those of the end, and what its result says of two trackers."""

    def feed(name: str, environ: object, past: object) -> Feed:
        return Feed(name, {}, past, command=[sys.executable, "-c", script], patience=patience)  # type: ignore[arg-type]

    events, report = journal(trials), sample_report(diagnostics=None, groups=None)
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder)) as lines:
        module.Feed = feed  # type: ignore[misc, assignment]
        try:
            trackers = Trackers(("wandb", "trackio") if script else (), Path(folder), lines.events)
            recorder = Recorder(lines, trackers)
            begin = time.perf_counter()
            for event in events:
                recorder.emit(event["kind"], **{k: v for k, v in event.items() if k not in ("kind", "time")})
            recorded = time.perf_counter() - begin
            said = trackers.finish(report)
        finally:
            module.Feed = Feed  # type: ignore[misc]
        return recorded, time.perf_counter() - begin - recorded, said


@click.command()
@click.option("--trials", default=400, show_default=True)
@click.option("--repeats", default=3, show_default=True)
def main(trials: int, repeats: int) -> None:
    """Print the ratio of each kind of tracker, the best of several turns."""
    rungs = sum(event["kind"] == "rung" for event in journal(trials))
    turns = {kind: [recording(script, trials) for _ in range(repeats)] for kind, script in SCRIPTS.items()}
    base = min(turn[0] for turn in turns["none"])
    for kind, found in turns.items():
        recorded = min(turn[0] for turn in found)
        slower = 100 * (recorded - base) / (rungs + base)
        end = min(turn[1] for turn in found)
        click.echo(f"{kind:>9}: {recorded:.2f} s for {rungs} rungs, {slower:+.3f} % of the search, end {end:.1f} s")
        for note in found[0][2]:
            click.echo(f"           {note}")


if __name__ == "__main__":
    main()
