"""How long ten thousand finished runs take to list, against reading every journal; ``python -m benchmarks.history``.

Runs are made of one journal and one report of a whole search, so each is as large as a real one. Both are timed in the
same run: the command in a process of its own, from its start to its end, and the journals read and checked by line.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from synthcity.lines import LineWriter, read_all
from synthcity.search.report.saving import save_data
from tests.search.sample_run import journal, sample_report


def make_runs(folder: Path, count: int) -> None:
    """Write runs that differ in their names alone."""
    first = folder / "run-00000"
    save_data(first, sample_report())
    with LineWriter(first / "journal.jsonl") as lines:
        for event in [*journal(), {"kind": "run_finished", "winner": "mix-3", "time": 2e9}]:
            lines.append(event)
    told, written = (first / "report.json").read_bytes(), (first / "journal.jsonl").read_bytes()
    for number in range(1, count):
        run = folder / f"run-{number:05d}"
        run.mkdir()
        (run / "report.json").write_bytes(told)
        (run / "journal.jsonl").write_bytes(written)


def listing_seconds(folder: Path) -> float:
    """Time one ``synthcity history --json``, the start of its process included."""
    begin = time.perf_counter()
    line = [sys.executable, "-m", "synthcity", "history", "--runs", str(folder), "--json"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - begin
    told = json.loads(done.stdout)
    assert told["total"] == len(list(folder.iterdir())), told["total"]
    assert not told["left_out"], told["left_out"]
    return seconds


def reading_seconds(folder: Path, most: int = 200) -> float:
    """Time the reading of all journals, measured on ``most`` of them."""
    paths = sorted(folder.glob("*/journal.jsonl"))
    begin = time.perf_counter()
    for path in paths[:most]:
        read_all(path)
    return (time.perf_counter() - begin) * len(paths) / min(most, len(paths))


@click.command()
@click.option("--runs", "count", default=10_000, show_default=True)
def main(count: int) -> None:
    """Print both times and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        make_runs(Path(folder), count)
        listed = min(listing_seconds(Path(folder)) for _ in range(3))
        read = reading_seconds(Path(folder))
    click.echo(f"{count} runs: listed in {listed:.2f} s, journals read in {read:.1f} s, ratio {read / listed:.0f}")


if __name__ == "__main__":
    main()
