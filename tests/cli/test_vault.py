from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from synthcity.cli.main import cli
from synthcity.errors import SynthcityError
from tests.vault.builders import BEGUN, files_of, write_bundle, write_run, write_store


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY", "BUCKET"):
        monkeypatch.delenv(f"HIPPIUS_{name}", raising=False)


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["vault", *map(str, words)])


def test_a_run_is_pushed_listed_pulled_and_the_same(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "runs/sweep")
    pushed = invoke("push", folder, "--vault", "kept")
    assert pushed.exit_code == 0, pushed.output
    assert pushed.stdout.startswith("run sweep: 4 files, 0.0 MB in")
    listed = invoke("list", "--vault", "kept").stdout.splitlines()
    assert [line.split()[3:] for line in listed[1:]] == [["run", "proven", "sweep"]]
    assert max(map(len, listed)) <= 80
    pulled = invoke("pull", "sweep", "--to", "again", "--vault", "kept")
    assert pulled.exit_code == 0, pulled.output
    back = files_of(tmp_path / "again")
    assert back == {path: content for path, content in files_of(folder).items() if path in back}


def test_a_long_push_says_how_far_it_is_and_stdout_is_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthcity.cli.progress.TOLD_EVERY_SECONDS", 0.0)
    write_store(tmp_path / "store", days=4)
    pushed = invoke("push", "store", "--vault", "kept", "--json")
    assert json.loads(pushed.stdout)[0]["files"] == 4
    lines = pushed.stderr.splitlines()
    assert len(lines) == 3  # the last file is the answer's
    assert all(re.fullmatch(r"  push store: 0\.\d of 0\.\d MB, .* left", line) for line in lines)


def test_json_is_all_that_stdout_holds(tmp_path: Path) -> None:
    write_run(tmp_path / "runs/sweep", finished=False)
    write_store(tmp_path / "store", days=2)
    write_bundle(tmp_path / "fhs")
    told = json.loads(invoke("push", "runs/sweep", "store", "fhs", "--vault", "kept", "--json").stdout)
    assert [(each["kind"], each["name"], each["files"]) for each in told] == [
        ("run", "sweep", 3),
        ("prices", "store", 2),
        ("bundle", "fhs", 4),
    ]
    (bad := tmp_path / "kept/runs" / ("0" * 26)).mkdir()
    (bad / "index.json").write_text("{")
    listed = invoke("list", "--vault", "kept", "--json")
    assert [each["kind"] for each in json.loads(listed.stdout)] == ["run", "bundle", "prices"]
    assert "warning: runs/00000000000000000000000000/index.json" in listed.stderr
    assert json.loads(invoke("list", "--vault", "kept", "--kind", "bundle", "--json").stdout)[0]["name"] == "fhs"
    assert json.loads(invoke("check", "--vault", "kept", "--json").stdout) == {
        "vault": str(tmp_path / "kept"),
        "usable": True,
    }
    assert json.loads(invoke("pull", "store", "--to", "s2", "--vault", "kept", "--json").stdout)["written"] == 2
    assert json.loads(invoke("flush", "--json").stdout) == []


def test_what_cannot_be_sent_goes_later(tmp_path: Path) -> None:
    write_run(tmp_path / "runs/sweep")
    (tmp_path / "kept").touch()
    failed = invoke("push", "runs/sweep", "--vault", "kept")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert isinstance(failed.exception, SynthcityError)
    assert failed.exception.exit_code == 3
    later = invoke("flush")
    assert later.exit_code == 3
    assert "sweep: stays: the vault" in later.stdout
    (tmp_path / "kept").unlink()
    later = invoke("flush")
    assert (later.exit_code, later.stdout) == (0, f"{tmp_path}/runs/sweep: sent\n")
    assert invoke("flush").stdout == "nothing is owed\n"


def test_an_empty_vault_is_no_error() -> None:
    assert (invoke("list", "--vault", "kept").exit_code, invoke("list", "--vault", "kept", "--json").stdout) == (
        0,
        "[]\n",
    )


def test_wrong_input_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_run(tmp_path / "runs/sweep", at=BEGUN)
    for words, text in (
        (("push", "empty", "--vault", "kept"), "holds no run, no bundle and no price store"),
        (("list",), "no vault is named"),
        (("check", "--vault", "gs://x"), "a vault's address must be"),
        (("pull", "sweep", "--vault", "kept"), "it holds no 'sweep'"),
    ):
        found = invoke(*words)
        assert isinstance(found.exception, SynthcityError), found.output
        assert found.exception.exit_code == 2
        assert text in str(found.exception)


def test_help_fits_a_terminal() -> None:
    for words in ((), ("check",), ("push",), ("pull",), ("list",), ("flush",)):
        text = invoke(*words, "--help").stdout
        assert max(map(len, text.splitlines())) <= 80, words
