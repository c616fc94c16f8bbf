"""Plant every fault of ``mutants.toml`` in a copy of the tree and see whether the tests of its room notice.

::

    python -m tests.mutants                      # all, two at a time; a table, and exit 1 if one survives
    python -m tests.mutants --only "interval"    # those whose words hold this
    python -m tests.mutants --write docs/mutants.md

A fault replaces one text that stands once in one file. Its tests run with ``-x`` for a minute at most; it is killed by
a failing test, and survives if all pass. A text that stands there no longer is told as stale, and tests that fail
without any fault as broken.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS = 180
KILLED, SURVIVED, STALE, BROKEN = "killed", "SURVIVED", "stale", "broken"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """``old`` becomes ``new`` in ``file``; ``tests`` are those of its room, ``why`` says what is wrong with it."""

    why: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a mutant, in how many seconds, and the test that saw it."""

    mutant: Mutant
    state: str
    seconds: float
    by: str


def mutants() -> list[Mutant]:
    """Read the list; ValueError where an entry is none."""
    data = tomllib.loads(Path(__file__).with_name("mutants.toml").read_text(encoding="utf-8"))
    found = [Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in data["mutant"]]
    if len({mutant.why for mutant in found}) < len(found):
        raise ValueError("two mutants have the same words")
    return found


def is_stale(mutant: Mutant) -> bool:
    """Whether its text does not stand exactly once where it should, or a test is gone."""
    path = ROOT / mutant.file
    there = path.is_file() and path.read_text(encoding="utf-8").count(mutant.old) == 1
    return not there or not all((ROOT / test.partition("::")[0]).exists() for test in mutant.tests)


def run(mutant: Mutant) -> Outcome:
    """Try one in a copy of its own."""
    begin = time.monotonic()
    if is_stale(mutant):
        return Outcome(mutant=mutant, state=STALE, seconds=0.0, by="")
    failing = _without_fault(mutant.tests)
    if failing:
        return Outcome(mutant=mutant, state=BROKEN, seconds=time.monotonic() - begin, by=failing)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tree = Path(folder)
        for name in ("synthcity", "tests", "benchmarks", "configs", "docs", "deploy", "clusters"):
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in ROOT.iterdir():
            if path.is_file():
                shutil.copy(path, tree / path.name)
        path = tree / mutant.file
        path.write_text(path.read_text(encoding="utf-8").replace(mutant.old, mutant.new), encoding="utf-8")
        state, by = _tested(tree, mutant.tests)
    return Outcome(mutant=mutant, state=state, seconds=time.monotonic() - begin, by=by)


_checked: dict[tuple[str, ...], str] = {}
_lock = threading.Lock()


def _without_fault(tests: tuple[str, ...]) -> str:
    """Return the first test that fails in the tree as it is, empty where none does; each set is tried once."""
    with _lock:
        if tests not in _checked:
            _checked[tests] = _tested(ROOT, tests)[1]
        return _checked[tests]


def _tested(tree: Path, tests: tuple[str, ...]) -> tuple[str, str]:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *tests]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return KILLED, "its tests hung"
    if done.returncode == 0:
        return SURVIVED, ""
    lines = [line for line in done.stdout.splitlines() if re.match(r"(FAILED|ERROR) \S+\.py\b", line)]
    return KILLED, lines[0].split(" - ")[0].split(maxsplit=1)[1] if lines else f"pytest ended with {done.returncode}"


def table(outcomes: list[Outcome]) -> str:
    """Return the outcomes as a Markdown page."""
    counts = {state: sum(outcome.state == state for outcome in outcomes) for state in (KILLED, SURVIVED, STALE, BROKEN)}
    told = ", ".join(f"{counts[state]} {state.lower()}" for state in counts)
    lines = [
        "# Planted faults",
        "",
        f"`python -m tests.mutants`: {len(outcomes)} faults, {told}. Each is one changed text of one file, "
        "tried against the tests of its room.",
        "",
        "| fault | file | seen by |",
        "|---|---|---|",
    ]
    for outcome in outcomes:
        seen = f"`{outcome.by}`" if outcome.state == KILLED else f"**{outcome.state}** {outcome.by}"
        lines.append(f"| {outcome.mutant.why} | `{outcome.mutant.file}` | {seen} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="words of the faults to try")
    parser.add_argument("--write", type=Path, help="write the table there")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    chosen = [mutant for mutant in mutants() if options.only in mutant.why]
    outcomes = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for outcome in pool.map(run, chosen):
            outcomes.append(outcome)
            print(f"{outcome.state:9}{outcome.seconds:6.1f} s  {outcome.mutant.why}  {outcome.by}", flush=True)
    if options.write:
        options.write.write_text(table(outcomes), encoding="utf-8")
    return 1 if any(outcome.state != KILLED for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
