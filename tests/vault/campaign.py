"""A vault through faults and kills: ``python -m tests.vault.campaign [--pushes 500] [--runs 2500]``.

Each push meets a random fault of the stand-in for Hippius, and every tenth is killed outright at a random moment, as a
search's process may be. What is owed then goes later. At the end:

* every index names only files that are whole, by size and SHA-256;
* no run is lost: each is in the vault, as it was pushed last;
* no multipart upload is left unfinished;
* all of ``--runs`` runs are listed, over pages of 1,000 keys, and a hostile index of more than 8 MB is refused; with
  a catalogue 12 requests do.
"""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import click

from synthcity.settings import Settings
from synthcity.vault import Entry, find, list_runs, pull
from synthcity.vault.base import digest_of
from synthcity.vault.catalogue import keep_catalogue, list_told
from synthcity.vault.entry import MAX_INDEX, DamagedEntry
from synthcity.vault.layout import index_key, new_id
from synthcity.vault.outbox import OUTBOX, Outbox
from synthcity.vault.s3 import S3Vault
from tests.standins.hippius import BUCKET, FAULTS, Running, client, running_hippius
from tests.vault.builders import BEGUN, files_of, write_run

PART = 5 << 20  # bytes; the least that S3 takes
LARGE = 20  # every so many runs has weights that go in parts


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was counted."""

    pushes: int
    kills: int
    owed: int  # after the first round
    listed: int
    seconds: float


def opened(server: Running, prefix: str) -> S3Vault:
    """Return a vault of the stand-in that takes little for large."""
    return S3Vault(BUCKET, prefix, Settings.load(server.environment), part_bytes=PART)


def worker(folder: Path) -> None:
    """Push each run whose name comes on standard input, and say so; then what is owed, for an empty one."""
    vault, outbox = S3Vault(BUCKET, "campaign", Settings.load(), part_bytes=PART), Outbox(folder / OUTBOX)
    for line in sys.stdin:
        print("begun", flush=True)
        if line.strip():
            try:
                outbox.deliver(vault, folder / line.strip())
            except Exception as error:  # noqa: BLE001 - whatever it was, the run has to be owed
                print(f"failed {type(error).__name__}", flush=True)
                continue
        else:
            list(outbox.flush(lambda name: vault))
        print("done", flush=True)


class Worker:
    """The process that pushes, begun again after each kill."""

    def __init__(self, server: Running, folder: Path) -> None:
        self._environment, self._folder = {**os.environ, **server.environment}, folder
        self._process = self._begin()

    def push(self, name: str, *, kill_after: float | None = None) -> str:
        """Push a run and return the last word; killed so many seconds after it began, if it is still at it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "begun\n"
        if kill_after is None:
            return self._process.stdout.readline().strip()
        time.sleep(kill_after)  # there is nothing to wait for: any instant will do
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        self._process = self._begin()
        return "killed"

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _begin(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.vault.campaign", "--worker", str(self._folder)]
        return subprocess.Popen(
            command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )


def campaign(*, pushes: int, kills: int, runs: int, seed: int = 0, hardest: int = 8) -> Outcome:
    """Run it and hold what has to hold; a fault comes ``hardest`` times in a row at most."""
    begin, rng = time.monotonic(), random.Random(seed)
    with running_hippius() as server, tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        client(server).create_bucket(Bucket=BUCKET)
        owed = push_all(server, folder, pushes, kills, rng, hardest)
        vault = opened(server, "campaign")
        check_whole(server, vault, folder, pushes)
        listed = check_listing(server, runs, next(iter(list_runs(vault))))
    return Outcome(pushes=pushes, kills=kills, owed=owed, listed=listed, seconds=time.monotonic() - begin)


def push_all(server: Running, folder: Path, pushes: int, kills: int, rng: random.Random, hardest: int) -> int:
    """Push ``pushes`` runs through faults and kills, then what is owed; return how many were."""
    killed = set(rng.sample(range(pushes), kills))
    worker = Worker(server, folder)
    for at in range(pushes):
        size = PART + 1_000_000 if at % LARGE == 0 else 20_000
        write_run(folder / f"run-{at:04d}", at=BEGUN + at, size=size, seed=at)
        late = rng.choice((0.2, 0.2, 0.2, 5.0)) if hardest > 1 else 0.2
        fault = rng.choice([fault for fault in FAULTS if fault != "hang"])
        server.script({"do": fault, "count": rng.choice((1, 1, min(2, hardest), hardest))}, absent_seconds=late)
        worker.push(f"run-{at:04d}", kill_after=rng.uniform(0.0, 0.4) if at in killed else None)
    server.script()
    outbox = Outbox(folder / OUTBOX)
    owed = len(outbox.owed())
    worker.push("")
    worker.close()
    assert outbox.owed() == [], outbox.owed()
    return owed


def check_whole(server: Running, vault: S3Vault, folder: Path, pushes: int) -> None:
    """Hold that all runs are there, whole, and that nothing unfinished is."""
    entries = {entry.name: entry for entry in list_runs(vault, _fail)}
    assert len(entries) == pushes, f"{pushes - len(entries)} runs are lost"
    for at in range(pushes):
        here, entry = folder / f"run-{at:04d}", entries[f"run-{at:04d}"]
        restored = folder / "restored" / entry.name
        pull(vault, entry, restored)
        back = files_of(restored)
        assert set(back) >= {"journal.jsonl", "report.json", "resolved.yaml"}
        assert back == {path: content for path, content in files_of(here).items() if path in back}
    vault.abort_unfinished(older_seconds=0.0)
    assert "Uploads" not in client(server).list_multipart_uploads(Bucket=BUCKET)


def check_listing(server: Running, runs: int, like: Entry) -> int:
    """Hold that ``runs`` runs are listed, and that a hostile index among them is told and left out."""
    vault = opened(server, "many")
    assert like.run is not None

    def write(at: int) -> None:
        entry = replace(like, id=new_id(f"run {at}".encode()), name=f"run-{at}", files=())
        content = io.BytesIO(entry.to_bytes())
        vault.put(index_key("run", entry.id), content, digest_of(content))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(runs)))
    hostile = new_id(b"hostile")
    content = io.BytesIO(b'{"format":1,"name":"' + b"x" * MAX_INDEX + b'"}')
    vault.put(index_key("run", hostile), content, digest_of(content))
    told: list[str] = []
    names = {entry.name for entry in list_runs(vault, told.append)}
    assert names == {f"run-{at}" for at in range(runs)}
    assert len(told) == 1, told
    assert hostile in told[0]
    assert "more than the 8,000,000 bytes" in told[0]
    for _ in range(1 + runs // 64):  # as many pushes bring all of them into the catalogue
        keep_catalogue(vault)
    server.script()
    assert {each.name for each in list_told(vault, told.append)} == names
    asked = len(server.state()["seen"])
    assert asked <= 12, f"a list of {runs} runs asked {asked} times"
    try:
        find(vault, hostile)
    except DamagedEntry:
        return len(names)
    raise AssertionError("a hostile index was taken")


def _fail(problem: str) -> None:
    raise AssertionError(problem)


@click.command()
@click.option("--pushes", default=500, show_default=True)
@click.option("--kills", default=50, show_default=True)
@click.option("--runs", default=2500, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--worker", "folder", type=click.Path(path_type=Path), hidden=True)
def main(pushes: int, kills: int, runs: int, seed: int, folder: Path | None) -> None:
    """Run the campaign and print what was counted."""
    if folder is not None:
        worker(folder)
        return
    print(campaign(pushes=pushes, kills=kills, runs=runs, seed=seed))


if __name__ == "__main__":
    main()
