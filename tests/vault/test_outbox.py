from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError, VaultError
from synthcity.vault.folder import FolderVault
from synthcity.vault.outbox import OUTBOX, Outbox
from synthcity.vault.pulling import list_runs
from tests.faults import campaign
from tests.vault.builders import BEGUN, append, write_run
from tests.vault.test_pushing import Counting


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "runs" / OUTBOX)


def test_what_is_sent_is_not_owed(outbox: Outbox, tmp_path: Path) -> None:
    vault = FolderVault(tmp_path / "vault")
    entry = outbox.deliver(vault, write_run(tmp_path / "runs/sweep"))
    assert outbox.owed() == []
    assert list(list_runs(vault)) == [entry]


def test_what_cannot_be_sent_is_owed_until_it_is(outbox: Outbox, tmp_path: Path) -> None:
    vault = Counting(tmp_path / "vault")
    vault.fails = {"index.json"}
    folder = write_run(tmp_path / "runs/sweep")
    with pytest.raises(VaultError, match="away"):
        outbox.deliver(vault, folder)
    (owed,) = outbox.owed(vault.name)
    assert (owed.folder, owed.vault, owed.reason) == (str(folder), vault.name, "away")
    assert outbox.owed("another") == []
    (still,) = outbox.flush(lambda name: vault)
    assert (still.reason, still.entry) == ("away", None)
    vault.fails = set()
    vault.puts.clear()
    (sent,) = outbox.flush(lambda name: vault)
    assert sent.entry is not None
    assert sent.entry.id == owed.id
    assert vault.puts == [f"runs/{owed.id}/index.json"]
    assert list(outbox.flush(lambda name: vault)) == []


def test_a_killed_search_leaves_what_it_owed_before_its_run_began(outbox: Outbox, tmp_path: Path) -> None:
    vault = FolderVault(tmp_path / "vault")
    folder = tmp_path / "runs/sweep"
    outbox.owe(vault.name, folder)
    write_run(folder)
    (sent,) = outbox.flush(lambda name: vault)
    assert sent.entry is not None
    assert outbox.owed() == []


def test_what_is_not_there_any_more_is_told_once_unless_its_disk_is_away(outbox: Outbox, tmp_path: Path) -> None:
    vault = FolderVault(tmp_path / "vault")
    for folder in (tmp_path / "runs/removed", tmp_path / "disk/sweep", append_nothing(tmp_path / "runs/young")):
        outbox.owe(vault.name, folder)
    removed, away, young = outbox.flush(lambda name: vault)
    assert "holds no run" in removed.reason
    assert "holds no run" in away.reason
    assert "was left before it began" in young.reason
    assert [Path(row.folder).parent.name for row in outbox.owed()] == ["disk"]


def append_nothing(folder: Path) -> Path:
    folder.mkdir(parents=True)
    append(folder, {"kind": "stage", "time": BEGUN, "name": "x", "message": "y"})
    return folder


def test_a_folder_that_holds_another_run_now_gets_an_id_of_its_own(outbox: Outbox, tmp_path: Path) -> None:
    vault = Counting(tmp_path / "vault")
    vault.fails = {"index.json"}
    folder = write_run(tmp_path / "runs/sweep")
    with pytest.raises(VaultError):
        outbox.deliver(vault, folder)
    (owed,) = outbox.owed()
    vault.fails = set()
    (folder / "journal.jsonl").unlink()
    write_run(tmp_path / "new", at=BEGUN + 5)
    (tmp_path / "new/journal.jsonl").rename(folder / "journal.jsonl")
    assert outbox.deliver(vault, folder).id[10:] != owed.id[10:]


def test_a_vault_that_cannot_be_opened_owes_the_others_nothing(outbox: Outbox, tmp_path: Path) -> None:
    vault = FolderVault(tmp_path / "vault")
    for name in ("a", "b"):
        outbox.owe(name, write_run(tmp_path / name, at=BEGUN + ord(name)))

    def opened(name: str) -> FolderVault:
        if name == "a":
            raise ConfigError("HIPPIUS_ACCESS_KEY is not set")
        return vault

    first, second = outbox.flush(opened)
    assert (first.reason, second.reason) == ("HIPPIUS_ACCESS_KEY is not set", "")


def test_a_damaged_row_costs_itself(outbox: Outbox, tmp_path: Path) -> None:
    outbox.owe("v", tmp_path / "a")
    append_raw = outbox.path.read_text() + '{"event":"owed"}\n{"ev\n'
    outbox.path.write_text(append_raw)
    outbox.owe("v", tmp_path / "b", reason="away")
    assert [Path(row.folder).name for row in outbox.owed()] == ["a", "b"]


def make(folder: Path) -> None:
    """Push the run that lies beside ``folder``; see ``tests.faults``."""
    vault, outbox = FolderVault(folder / "vault"), Outbox(folder / OUTBOX)
    if not (folder / "sweep").exists():
        write_run(folder / "sweep", size=10)
    append(folder / "sweep", {"kind": "stage", "time": BEGUN, "name": "x", "message": "y"})
    outbox.deliver(vault, folder / "sweep")


def check(folder: Path) -> None:
    """Hold that every index names whole files, and that a push that came to no end is owed."""
    for entry in list_runs(FolderVault(folder / "vault"), pytest.fail):
        for file in entry.files:
            assert FolderVault(folder / "vault").head(entry.key_of(file)) == file.digest
    Outbox(folder / OUTBOX).owed()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["kill", "error"])
def test_a_kill_or_a_failing_disk_at_any_call_leaves_only_whole_indexes(tmp_path: Path, kind: str) -> None:
    assert campaign("tests.vault.test_outbox:make", tmp_path, kind) > 30
