from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.history.hippius import list_hippius
from synthcity.vault.base import Vault, digest_of
from synthcity.vault.catalogue import MOST_MISSING, keep_catalogue, list_told
from synthcity.vault.entry import Entry
from synthcity.vault.folder import FolderVault
from synthcity.vault.layout import CATALOGUE, index_key, new_id
from synthcity.vault.pulling import list_runs
from synthcity.vault.pushing import push_run
from synthcity.vault.s3 import S3Vault
from tests.standins.hippius import Running
from tests.vault.builders import write_run

MOST_REQUESTS = 12  # of a list


def add(vault: Vault, like: Entry, *numbers: int) -> None:
    """Write indexes alone, as earlier versions did, which wrote no catalogue."""
    for number in numbers:
        entry = replace(like, id=new_id(f"run {number}".encode(), after=like.id), name=f"run-{number}", files=())
        content = io.BytesIO(entry.to_bytes())
        vault.put(index_key("run", entry.id), content, digest_of(content))


def names(vault: Vault) -> set[str]:
    """Return what a list says, which is what all indexes say."""
    found = [told.name for told in list_told(vault, pytest.fail)]
    assert found == [entry.name for entry in list_runs(vault)]
    return set(found)


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault(tmp_path / "vault")


@pytest.fixture
def like(tmp_path: Path) -> Entry:
    return push_run(FolderVault(tmp_path / "other"), write_run(tmp_path / "like"))


def test_a_long_list_asks_for_little(
    hippius: Running, bucket: Callable[..., S3Vault], like: Entry, tmp_path: Path
) -> None:
    vault = bucket()
    add(vault, like, *range(40))
    hippius.script()
    assert len(list_hippius(vault).rows) == 40
    assert len(hippius.state()["seen"]) > 40
    push_run(vault, write_run(tmp_path / "sweep"))
    add(vault, like, *range(40, 40 + MOST_MISSING - 1))
    hippius.script()
    assert len(list_hippius(vault).rows) == 41 + MOST_MISSING - 1
    assert len(hippius.state()["seen"]) <= MOST_REQUESTS


def test_few_runs_need_none_and_many_are_taken_in_by_and_by(
    vault: FolderVault, like: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthcity.vault.catalogue._AT_ONCE", 8)
    add(vault, like, *range(MOST_MISSING - 1))
    keep_catalogue(vault)
    assert list(vault.list(CATALOGUE)) == []
    add(vault, like, *range(30))
    known = []
    for _ in range(5):
        keep_catalogue(vault)
        newest = sorted(vault.list(CATALOGUE))[-1]
        known.append(vault.read(f"{CATALOGUE}/{newest}", most=10**7).count(b'"name"'))
        assert len(names(vault)) == 30
    assert known == [8, 16, 24, 30, 30]
    assert len(list(vault.list(CATALOGUE))) == 3


def test_what_was_pushed_since_or_is_gone_is_as_the_indexes_say(
    vault: FolderVault, like: Entry, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "sweep", finished=False)
    first = push_run(vault, folder)
    add(vault, like, *range(8))
    keep_catalogue(vault)
    (folder / "more.json").write_text("{}")
    second = push_run(vault, folder)
    assert next(told.id for told in list_told(vault, pytest.fail) if told.name == "sweep") == second.id
    (vault.folder / index_key("run", second.id)).unlink()  # a push that came to no end
    assert next(told.id for told in list_told(vault, pytest.fail) if told.name == "sweep") == first.id
    for path in (vault.folder / "runs" / first.id).iterdir():
        if path.is_file():
            path.unlink()
    gone = next(path for path in (vault.folder / "runs").iterdir() if path.name not in (first.id, second.id))
    (gone / "index.json").unlink()
    gone.rmdir()
    assert gone.name not in {told.id for told in list_told(vault, pytest.fail)}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[" * 100_000,
        b'{"format":1,"runs":[{"id":"x"}]}',
        b'{"format":1,"runs":3}',
        b'{"format":2,"runs":[]}',
        b"\xff",
        b" " * 8_000_001,
    ],
    ids=["torn", "tower", "strange", "nonsense", "newer", "bytes", "large"],
)
def test_a_damaged_one_costs_requests_and_is_made_again(content: bytes, vault: FolderVault, like: Entry) -> None:
    add(vault, like, *range(7))
    keep_catalogue(vault)
    [name] = vault.list(CATALOGUE)
    sound = (vault.folder / CATALOGUE / name).read_bytes()
    (vault.folder / CATALOGUE / name).write_bytes(content)
    assert len(names(vault)) == 7
    keep_catalogue(vault)
    newest = max(vault.list(CATALOGUE))
    assert newest > name
    assert (vault.folder / CATALOGUE / newest).read_bytes() == sound


def test_a_vault_that_takes_no_catalogue_has_the_run(
    vault: FolderVault, like: Entry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add(vault, like, *range(7))
    (vault.folder / CATALOGUE).write_text("in the way")
    entry = push_run(vault, write_run(tmp_path / "sweep"))
    assert entry in list(list_runs(vault))
    assert "the catalogue was not written" in caplog.text
