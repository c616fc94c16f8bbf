"""A search that is pushed to its vault, and one that is resumed from it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from synthcity.errors import ConfigError, RunError, VaultError
from synthcity.search.config import SearchConfig, parse_config
from synthcity.search.journal.folder import run_folder
from synthcity.search.journal.journal import JOURNAL, Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.vaulted import check_vault, fetch_prices, fetch_run, mirrored
from synthcity.vault import list_runs, open_vault, push_run, push_store
from tests.search.test_config import sweep
from tests.search.test_run import finish, start
from tests.vault.builders import BEGUN, files_of, started, write_run, write_store
from tests.waiting import until


def config(tmp_path: Path, *settings: str) -> SearchConfig:
    return parse_config(sweep(), [f"output={tmp_path / 'runs'}", f"vault={tmp_path / 'kept'}", *settings])


def test_a_run_is_in_the_vault_when_its_search_is_over(tmp_path: Path) -> None:
    folder = tmp_path / "runs/sweep"
    with Journal(folder) as journal:
        recorder = Recorder(journal)
        with mirrored(config(tmp_path), folder, recorder) as kept:
            told = started()
            recorder.emit("run_started", **{k: v for k, v in told.items() if k not in ("kind", "time")})
        assert len(recorder.events) == 1
    (entry,) = list_runs(open_vault(str(tmp_path / "kept")))
    assert [(each.id, each.reason) for each in kept] == [(entry.id, "")]


def test_checkpoints_that_lie_elsewhere_are_told(tmp_path: Path) -> None:
    with Journal(tmp_path / "runs/sweep") as journal:
        recorder = Recorder(journal)
        elsewhere = config(tmp_path, f"search.storage={tmp_path / 'points'}")
        with pytest.raises(KeyError), mirrored(elsewhere, tmp_path / "runs/sweep", recorder):
            raise KeyError
        assert "points and not in the vault" in recorder.history.troubles[0]["note"]


def test_without_a_vault_nothing_is_done(tmp_path: Path) -> None:
    plain = parse_config(sweep(), [f"output={tmp_path / 'runs'}"])
    check_vault(plain)
    fetch_run(plain, "sweep")
    with Journal(tmp_path / "runs/sweep") as journal, mirrored(plain, tmp_path, Recorder(journal)) as kept:
        pass
    assert kept == []


def test_what_can_be_known_of_a_vault_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIPPIUS_ACCESS_KEY", raising=False)
    (tmp_path / "kept").touch()
    with pytest.raises(VaultError, match="kept is no folder"):
        check_vault(config(tmp_path))
    with pytest.raises(ConfigError, match="needs HIPPIUS_ACCESS_KEY"):
        check_vault(config(tmp_path, "vault=s3://bucket/runs"))
    with pytest.raises(ConfigError, match="vault must be a folder or s3://bucket/prefix"):
        config(tmp_path, "vault=gs://bucket")
    with pytest.raises(ConfigError, match="holds no keys") as caught:
        config(tmp_path, "vault=s3://hip_1:secret@bucket")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["null", "sweep-2"])
def test_a_run_that_only_the_vault_has_is_fetched(tmp_path: Path, name: str) -> None:
    wanted = config(tmp_path, f"name={name}")
    vault = open_vault(str(tmp_path / "kept"))
    for at, each in enumerate(("sweep", "sweeper", "sweep-2")):
        push_run(vault, write_run(tmp_path / "there" / each, at=BEGUN + at, finished=False))
    fetch_run(wanted, "sweep")
    assert run_folder(wanted, "sweep", resume=True) == tmp_path / "runs/sweep-2"
    here = files_of(tmp_path / "runs/sweep-2")
    assert here == {k: v for k, v in files_of(tmp_path / "there/sweep-2").items() if k in here}
    (tmp_path / "runs/sweep-2" / JOURNAL).write_bytes(here[JOURNAL] + b"{}\n")
    fetch_run(wanted, "sweep")
    assert (tmp_path / "runs/sweep-2" / JOURNAL).read_bytes().endswith(b"{}\n"), "what is here goes before the vault"


def test_a_run_that_nobody_has_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no run 'sweep' to resume in .*runs or in the vault .*kept"):
        fetch_run(config(tmp_path), "sweep")


@pytest.mark.slow
def test_a_search_goes_on_elsewhere_after_its_machine_is_lost(tmp_path: Path) -> None:
    """Kill a search that has trained something, lose its folder, and resume it from the vault alone."""
    options = ("--set", f"vault={tmp_path / 'kept'}", "--set", "search.trials=2")
    process = start(tmp_path, *options)
    journal = tmp_path / "runs/tiny" / JOURNAL
    until(lambda: journal.exists() and b'"kind":"checkpoint"' in journal.read_bytes(), seconds=120, process=process)
    os.kill(process.pid, 9)
    process.communicate()
    until(lambda: list(list_runs(open_vault(str(tmp_path / "kept")))))
    until(lambda: b'"sent"' in (tmp_path / "runs/outbox.jsonl").read_bytes())
    before = journal.read_bytes()
    shutil.rmtree(tmp_path / "runs")
    output, _ = finish(start(tmp_path, *options, "--resume"))
    assert journal.read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    assert "\nvault       " in output
    (entry,) = list_runs(open_vault(str(tmp_path / "kept")))
    assert entry.run is not None
    assert (entry.run.state, entry.run.trials) == ("finished", 2)
    assert entry.id in output
    assert entry.run.verdict is not None


def days(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in files_of(folder).items() if name.endswith(".parquet")}


FROM_VAULT = ("data.source=store", "data.path=vault:store")


def test_prices_come_from_the_vault_and_later_only_the_days_that_are_new(tmp_path: Path) -> None:
    vault, wanted = open_vault(str(tmp_path / "kept")), config(tmp_path, *FROM_VAULT)
    write_store(tmp_path / "store", days=2)
    push_store(vault, tmp_path / "store")
    first = fetch_prices(wanted)
    assert first.data.path is not None
    here = Path(first.data.path)
    assert here.is_relative_to(tmp_path / "runs")
    assert days(here) == days(tmp_path / "store")
    assert wanted.data.path == "vault:store", "which a resumed run on another machine reads again"
    write_store(tmp_path / "store", days=4)
    push_store(vault, tmp_path / "store")
    grown = next(here.rglob("*.parquet"))
    grown.write_bytes(b"as it was at noon")
    assert fetch_prices(wanted) == first
    assert days(here) == days(tmp_path / "store")
    assert fetch_prices(first) is first


def test_prices_that_the_vault_lacks_or_has_damaged_are_told(tmp_path: Path) -> None:
    vault = open_vault(str(tmp_path / "kept"))
    write_store(tmp_path / "store")
    push_store(vault, tmp_path / "store")
    with pytest.raises(ConfigError, match="did you mean 'store'"):
        fetch_prices(config(tmp_path, "data.source=store", "data.path=vault:stroe"))
    day = next((tmp_path / "kept/prices").rglob("*.parquet"))
    day.chmod(0o600)
    content = day.read_bytes()
    day.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(VaultError, match="differs from its hash"):
        fetch_prices(config(tmp_path, *FROM_VAULT))


def test_prices_of_a_vault_need_one_and_dates(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.path is vault:store; set vault to a folder"):
        parse_config(sweep(), [*FROM_VAULT])
    with pytest.raises(ConfigError, match="with vault:store write dates"):
        config(tmp_path, *FROM_VAULT, "data.periods=365d")
