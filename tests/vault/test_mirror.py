from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.private import environment
from synthcity.vault.folder import FolderVault
from synthcity.vault.mirror import Mirror
from synthcity.vault.outbox import OUTBOX, Outbox
from synthcity.vault.pulling import list_runs
from tests.standins.hippius import BUCKET, SECRET, Running
from tests.vault.builders import BEGUN, finish, write_run
from tests.waiting import ignores, until


def test_a_run_is_pushed_while_it_goes_on_and_once_more_at_its_end(tmp_path: Path) -> None:
    outbox, told = tmp_path / OUTBOX, list[str]()
    owed = write_run(tmp_path / "before", at=BEGUN - 5)
    Outbox(outbox).owe(str(tmp_path / "vault"), owed)
    with environment({"HIPPIUS_SECRET_KEY": "needed", "HF_TOKEN": "canary"}):
        mirror = Mirror(tmp_path / "sweep", str(tmp_path / "vault"), outbox, told.append, every=0.05)
    assert b"canary" not in Path(f"/proc/{mirror._process.pid}/environ").read_bytes()
    assert b"needed" not in Path(f"/proc/{mirror._process.pid}/cmdline").read_bytes()
    assert [Path(row.folder).name for row in Outbox(outbox).owed()] == ["before", "sweep"]
    folder = write_run(tmp_path / "sweep", finished=False)
    vault = FolderVault(tmp_path / "vault")
    until(lambda: list(list_runs(vault)))
    finish(folder)
    kept = mirror.close()
    assert (kept.vault, kept.reason, told) == (str(tmp_path / "vault"), "", [])
    until(lambda: not Outbox(outbox).owed())  # what an earlier run owed goes after it
    runs = {entry.name: entry for entry in list_runs(vault)}
    assert runs["sweep"].id == kept.id
    assert runs["sweep"].run is not None
    assert runs["sweep"].run.state == "finished"
    assert set(runs) == {"sweep", "before"}


def test_a_run_is_pushed_although_all_of_its_job_are_asked_to_end(tmp_path: Path) -> None:
    """As ``ray job stop`` does: the first process of a job and all that it has started get the signal."""
    mirror = Mirror(write_run(tmp_path / "sweep"), str(tmp_path / "vault"), tmp_path / OUTBOX, print)
    pid = mirror._process.pid
    until(lambda: ignores(pid, signal.SIGTERM))
    os.kill(pid, signal.SIGTERM)
    assert mirror.close().id


def test_a_vault_that_fails_is_told_at_once_and_once_and_the_run_stays_owed(hippius: Running, tmp_path: Path) -> None:
    hippius.script({"do": "credit", "count": 999})
    told: list[str] = []
    with environment(hippius.environment):
        mirror = Mirror(tmp_path / "sweep", f"s3://{BUCKET}/mirror", tmp_path / OUTBOX, told.append, every=0.05)
        write_run(tmp_path / "sweep")
        until(lambda: told)
        kept = mirror.close()
    assert len(set(told)) == len(told) <= 2
    assert "the search goes on without it: s3://synth-city/mirror cannot be written (402" in told[0]
    assert (kept.id, kept.reason[:45]) == ("", "s3://synth-city/mirror cannot be written (402")
    (owed,) = Outbox(tmp_path / OUTBOX).owed()
    assert owed.reason == kept.reason
    assert SECRET not in (tmp_path / OUTBOX).read_text() + "".join(told)


def test_a_run_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "sweep/journal.jsonl").mkdir(parents=True)
    told: list[str] = []
    mirror = Mirror(tmp_path / "sweep", str(tmp_path / "vault"), tmp_path / OUTBOX, told.append, every=0.05)
    until(lambda: told)
    mirror.close()
    assert "cannot read" in told[0]


def test_a_vault_that_hangs_costs_no_more_than_the_patience(hippius: Running, tmp_path: Path) -> None:
    hippius.script({"do": "hang", "count": 999})
    with environment(hippius.environment):
        mirror = Mirror(write_run(tmp_path / "sweep"), f"s3://{BUCKET}/hang", tmp_path / OUTBOX, print, every=60.0)
        until(lambda: hippius.state()["seen"])
        begin = time.monotonic()
        kept = mirror.close(0.5)
    assert time.monotonic() - begin < 5
    assert kept.reason == "it did not take it within 0.5 seconds"
    assert len(Outbox(tmp_path / OUTBOX).owed()) == 1
    hippius.script()


def test_what_is_wrong_with_its_keys_is_told_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIPPIUS_ACCESS_KEY", raising=False)
    with pytest.raises(ConfigError, match="needs HIPPIUS_ACCESS_KEY"):
        Mirror(tmp_path / "sweep", "s3://bucket/x", tmp_path / OUTBOX, print)
    assert list(tmp_path.iterdir()) == []


SEARCH = """
import sys, time
from pathlib import Path
from synthcity.vault.mirror import Mirror
from tests.vault.builders import write_run
folder = Path(sys.argv[1])
write_run(folder / "sweep", finished=False)
mirror = Mirror(folder / "sweep", str(folder / "vault"), folder / "outbox.jsonl", print)
print("begun", flush=True)
time.sleep(600)
"""


def test_a_search_that_is_killed_leaves_what_it_had_in_the_vault(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SEARCH, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    vault = FolderVault(tmp_path / "vault")
    until(lambda: [entry.name for entry in list_runs(vault)] == ["sweep"])
    until(lambda: not Outbox(tmp_path / OUTBOX).owed())
