from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.errors import BundleError, ConfigError, RunError, VaultError
from synthcity.market.store import Store
from synthcity.vault.folder import FolderVault
from synthcity.vault.layout import identified, new_id
from synthcity.vault.pulling import find, list_bundles, list_runs, list_stores, newest, pull
from synthcity.vault.pushing import push_bundle, push_run, push_store
from tests.vault.builders import BEGUN, files_of, finish, write_bundle, write_run, write_store


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault(tmp_path / "vault")


def test_a_run_comes_back_exactly(vault: FolderVault, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "sweep", finished=False)
    push_run(vault, folder)
    finish(folder)
    entry = push_run(vault, folder)
    written = pull(vault, entry, tmp_path / "again")
    back = files_of(tmp_path / "again")
    assert back == {path: content for path, content in files_of(folder).items() if path in back}
    assert sorted(path.relative_to(tmp_path / "again").as_posix() for path in written) == sorted(back)
    assert "report.json" in back


def test_a_store_gets_the_days_that_it_lacks_and_none_is_changed(vault: FolderVault, tmp_path: Path) -> None:
    write_store(tmp_path / "store", days=3, assets=("BTC", "ETH"))
    entry = push_store(vault, tmp_path / "store")
    write_store(tmp_path / "other", days=1)
    written = pull(vault, entry, tmp_path / "other")
    assert len(written) == 5
    assert Store(tmp_path / "other").verify().num_checked == 6
    assert pull(vault, entry, tmp_path / "other") == []
    day = tmp_path / "other/BTC/simulated/300s/2025-01-02.parquet"
    day.write_bytes(day.read_bytes()[:-1])
    written[-1].unlink()
    with pytest.raises(ConfigError, match=r"2025-01-02\.parquet is another day than in"):
        pull(vault, entry, tmp_path / "other")
    assert not written[-1].exists()


def test_a_bundle_comes_back_and_is_checked(vault: FolderVault, tmp_path: Path) -> None:
    entry = push_bundle(vault, write_bundle(tmp_path / "fhs"))
    pull(vault, entry, tmp_path / "again")
    assert files_of(tmp_path / "again") == files_of(tmp_path / "fhs")
    assert list(list_bundles(vault)) == [entry]
    (tmp_path / "again/config.json").unlink()
    with pytest.raises(ConfigError, match="is there already and stays as it is"):
        pull(vault, entry, tmp_path / "again")
    (tmp_path / "empty").mkdir()
    pull(vault, entry, tmp_path / "empty")
    index = vault.folder / "bundles" / entry.id / "index.json"
    told = json.loads(index.read_text())
    told["files"] = [file for file in told["files"] if file["path"] != "config.json"]
    index.write_text(json.dumps(told))
    with pytest.raises(BundleError, match="is missing"):
        pull(vault, find(vault, entry.id), tmp_path / "half")
    assert not (tmp_path / "half").exists()


@pytest.mark.parametrize("damage", [b"", b"x", b"another content that is much longer than the one that was pushed"])
def test_a_file_that_differs_from_its_hash_leaves_nothing(vault: FolderVault, tmp_path: Path, damage: bytes) -> None:
    entry = push_run(vault, write_run(tmp_path / "sweep"))
    (vault.folder / "runs" / entry.id / "resolved.yaml").write_bytes(damage)
    with pytest.raises(VaultError, match=r"resolved\.yaml in .*(differs from its hash|has more than the)"):
        pull(vault, entry, tmp_path / "again")
    (vault.folder / "runs" / entry.id / "resolved.yaml").unlink()
    with pytest.raises(VaultError, match=r"holds no .*resolved\.yaml"):
        pull(vault, entry, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_what_does_not_fit_the_disk_is_told_before_it_is_fetched(vault: FolderVault, tmp_path: Path) -> None:
    entry = push_run(vault, write_run(tmp_path / "sweep"))
    large = replace(entry, files=tuple(replace(file, size=10**16) for file in entry.files))
    with pytest.raises(RunError, match=r"has 40,000,000\.0 GB and .* has room for .*nothing was fetched"):
        pull(vault, large, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_all_runs_are_listed_the_last_pushed_first_and_each_once(vault: FolderVault, tmp_path: Path) -> None:
    for at in range(40):
        folder = write_run(tmp_path / f"run-{at}", at=BEGUN + at, size=10, finished=False)
        push_run(vault, folder)
    finish(tmp_path / "run-7")
    push_run(vault, tmp_path / "run-7")
    names = [entry.name for entry in list_runs(vault)]
    assert names == ["run-7", *(f"run-{at}" for at in reversed(range(40)) if at != 7)]
    assert list(list_stores(vault)) == []


def test_damaged_and_hostile_indexes_are_told_and_left_out(vault: FolderVault, tmp_path: Path) -> None:
    entry = push_run(vault, write_run(tmp_path / "sweep"))
    bad = {
        new_id(b"large"): b'{"format":1,' + b" " * 8_000_000,
        new_id(b"none"): b"{",
        new_id(b"later"): b'{"format":2}',
    }
    for name, content in bad.items():
        (vault.folder / "runs" / name).mkdir()
        (vault.folder / "runs" / name / "index.json").write_bytes(content)
    (vault.folder / "runs" / new_id(b"begun")).mkdir()
    (vault.folder / "runs" / "somebody's").mkdir()
    told: list[str] = []
    assert list(list_runs(vault, told.append)) == [entry]
    assert len(told) == 3
    assert sorted(text.partition("index.json")[2].split(";")[0].split(vault.name)[1] for text in told) == [
        " has more than the 8,000,000 bytes that it may have",
        " is no index: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        " is of format '2', this synthcity reads 1",
    ]
    with pytest.raises(VaultError, match="8,000,000"):
        find(vault, min(bad, key=lambda name: len(bad[name]) < 100))


def test_a_run_is_found_by_its_name_or_id(vault: FolderVault, tmp_path: Path) -> None:
    old = push_run(vault, write_run(tmp_path / "a/sweep", at=BEGUN))
    new = push_run(vault, write_run(tmp_path / "b/sweep", at=BEGUN + 1))
    assert find(vault, "sweep") == new
    assert find(vault, old.id) == old
    assert newest(vault, "run", identified(b"no run")) is None
    with pytest.raises(ConfigError, match="unknown name 'sweeep'; did you mean 'sweep'"):
        find(vault, "sweeep")
    with pytest.raises(ConfigError, match="it holds no"):
        find(vault, new_id(b"x"))
    with pytest.raises(ConfigError, match="it holds no 'sweep'"):
        find(vault, "sweep", ["bundle"])
