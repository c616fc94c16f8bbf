from __future__ import annotations

import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from synthcity.errors import BundleError, ConfigError, DataError, RunError, VaultError
from synthcity.vault.base import Digest
from synthcity.vault.facts import NothingToPush
from synthcity.vault.folder import FolderVault
from synthcity.vault.layout import identity_of, new_id
from synthcity.vault.pulling import list_runs
from synthcity.vault.pushing import parcel, push_bundle, push_run, push_store, run_parcel, send
from tests.vault.builders import append, candidate, files_of, finish, write_bundle, write_run, write_store


class Counting(FolderVault):
    """Counts what is put, and fails when told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.puts: list[str] = []
        self.fails: set[str] = set()
        self._lock = threading.Lock()

    def put(self, key: str, file: BinaryIO, digest: Digest) -> None:
        with self._lock:
            self.puts.append(key)
        if any(key.endswith(name) for name in self.fails):
            raise VaultError("away")
        super().put(key, file, digest)


@pytest.fixture
def vault(tmp_path: Path) -> Counting:
    return Counting(tmp_path / "vault")


def test_a_run_is_pushed_with_its_index_last_and_without_what_is_not_its_own(vault: Counting, tmp_path: Path) -> None:
    entry = push_run(vault, write_run(tmp_path / "sweep"))
    paths = [file.path for file in entry.files]
    state = "checkpoints/trials-1/c0000/checkpoint_000000/state.safetensors"
    assert paths == [state, "journal.jsonl", "report.json", "resolved.yaml"]
    assert vault.puts[-1] == f"runs/{entry.id}/index.json"
    assert (entry.kind, entry.name, entry.competition) == ("run", "sweep", "crypto-24h")
    assert list(list_runs(vault)) == [entry]


def test_what_has_not_changed_is_not_sent_again(vault: Counting, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "sweep", finished=False)
    first = push_run(vault, folder)
    vault.puts.clear()
    assert push_run(vault, folder) == first
    assert vault.puts == []
    finish(folder)
    second = push_run(vault, folder)
    assert [Path(key).name for key in vault.puts[:-1]] == ["journal.jsonl", "report.json"]
    assert identity_of(second.id) == identity_of(first.id)
    assert second.id > first.id
    assert {file.path: file.entry for file in second.files}["resolved.yaml"] == first.id
    append(folder, candidate(2))
    third = push_run(vault, folder)
    assert {file.path: file.entry for file in third.files}["resolved.yaml"] == first.id
    assert list(list_runs(vault)) == [third]


def test_a_push_that_failed_names_nothing_and_goes_on_where_it_was(vault: Counting, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "sweep")
    found = run_parcel(folder)
    at = new_id(found.identity)
    vault.fails = {"index.json"}
    with pytest.raises(VaultError, match="away"):
        send(vault, found, at=at)
    assert list(list_runs(vault)) == []
    vault.fails = set()
    vault.puts.clear()
    entry = send(vault, found, at=at)
    assert (entry.id, vault.puts) == (at, [f"runs/{at}/index.json"])
    vault.puts.clear()
    assert send(vault, found, at=at) == entry
    assert vault.puts == []


def test_bundles_and_stores(vault: Counting, tmp_path: Path) -> None:
    bundle = push_bundle(vault, write_bundle(tmp_path / "fhs"))
    assert [file.path for file in bundle.files] == [
        "config.json",
        "manifest.json",
        "metrics.json",
        "weights.safetensors",
    ]
    assert bundle.competition == "crypto-24h"
    write_store(tmp_path / "store", days=2)
    first = push_store(vault, tmp_path / "store")
    assert [file.path for file in first.files] == [f"BTC/simulated/300s/2025-01-0{day}.parquet" for day in (1, 2)]
    write_store(tmp_path / "store", days=4)
    vault.puts.clear()
    second = push_store(vault, tmp_path / "store")
    assert sorted(Path(key).name for key in vault.puts[:-1]) == ["2025-01-03.parquet", "2025-01-04.parquet"]
    assert len(second.files) == 4


def test_what_is_nothing_to_push_is_told(vault: Counting, tmp_path: Path) -> None:
    with pytest.raises(NothingToPush, match="holds no run, no bundle and no price store"):
        parcel(tmp_path)
    with pytest.raises(RunError, match="there is no run"):
        push_run(vault, tmp_path)
    with pytest.raises(BundleError, match="manifest"):
        push_bundle(vault, tmp_path)
    with pytest.raises(DataError, match="holds no bars"):
        push_store(vault, tmp_path)
    assert parcel(write_run(tmp_path / "a")).kind == "run"
    assert parcel(write_bundle(tmp_path / "b")).kind == "bundle"
    assert parcel(Path(write_store(tmp_path / "c").folder)).kind == "prices"


def test_a_damaged_bundle_does_not_leave_the_house(vault: Counting, tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "fhs")
    (folder / "config.json").write_text("{}")
    with pytest.raises(BundleError, match="differs from its hash"):
        push_bundle(vault, folder)
    assert vault.puts == []


def test_a_checkpoint_that_goes_while_a_run_is_pushed_is_left_out(vault: Counting, tmp_path: Path) -> None:
    found = run_parcel(write_run(tmp_path / "sweep"))
    found.sources[1].place.unlink()
    assert len(send(vault, found).files) == 3


def test_a_vault_within_what_it_is_to_hold_is_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "sweep")
    with pytest.raises(ConfigError, match=r"kept lies within .*sweep, which it is to hold"):
        push_run(FolderVault(folder / "kept"), folder)
    assert not (folder / "kept").exists()


def test_a_link_is_not_followed(vault: Counting, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "sweep")
    (tmp_path / "secret.json").write_text("secret")
    (folder / "stolen.json").symlink_to(tmp_path / "secret.json")
    push_run(vault, folder)
    assert not any(b"secret" in content for content in files_of(vault.folder).values())


@pytest.mark.parametrize("name", ["a\\b.json", "a\x1b.json", "/".join(["x" * 250] * 5) + ".json"])
def test_what_no_index_may_name_is_left_out_and_the_run_comes_back(vault: Counting, tmp_path: Path, name: str) -> None:
    folder = write_run(tmp_path / "sweep")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("{}")
    assert list(list_runs(vault)) == []
    entry = push_run(vault, folder)
    assert len(entry.files) == 4
    assert list(list_runs(vault, pytest.fail)) == [entry]


@pytest.mark.parametrize("name", [".store", "a\\b", "a\nb"])
def test_a_folder_that_could_not_be_found_again_is_refused(vault: Counting, tmp_path: Path, name: str) -> None:
    write_store(tmp_path / name, days=1)
    with pytest.raises(ConfigError, match=r"has no plain name, .*; rename it first"):
        push_store(vault, tmp_path / name)
    assert vault.puts == []
