"""Folders and secrets that are nobody else's."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from synthcity.errors import Fatal
from synthcity.private import (
    environment,
    keep_private,
    private_files,
    private_folder,
    remove_stale,
    secret_names,
    without_secrets,
)
from synthcity.settings import Secret, Settings


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_for_this_user_alone_and_goes(root: Path):
    with private_folder() as folder:
        assert folder.parent == root
        assert folder.stat().st_mode & 0o777 == 0o700
        remove_stale()
        assert folder.is_dir()
    assert list(root.iterdir()) == []


def test_a_long_root_gives_way_where_sockets_lie_in_it(root: Path):
    with private_folder(longest=30) as folder:
        assert folder.parent == Path("/tmp")


KILLED = """
import sys, time
from synthcity.private import private_folder
with private_folder() as folder:
    (folder / "program.cfg").touch()
    print(folder, flush=True)
    time.sleep(600)
"""


def test_what_a_killed_process_left_goes_with_the_programs_that_work_on_it(root: Path):
    program = shutil.copy(shutil.which("tail") or "/usr/bin/tail", root / "haproxy")
    environ = {**os.environ, "TMPDIR": str(root)}
    command = [sys.executable, "-c", KILLED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        orphan = subprocess.Popen([program, "-f", str(folder / "program.cfg")], start_new_session=True)
        other = subprocess.Popen(["tail", "-f", str(folder / "program.cfg")])
        try:
            remove_stale(["haproxy"])
            assert orphan.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
            remove_stale(["haproxy"])
            assert orphan.wait(10) == -signal.SIGKILL
            assert not folder.exists()
            assert other.poll() is None  # a reader of its logs is no program of ours
        finally:
            for one in (orphan, other):
                one.kill()
                one.wait()


def test_only_what_was_locked_once_is_removed(root: Path):
    (root / "synthcity-notes").mkdir()
    (root / "synthcity-link").symlink_to(root / "synthcity-notes")
    os.utime(root / "synthcity-notes", (time.time() - 1e6,) * 2)
    remove_stale()
    assert {path.name for path in root.iterdir()} == {"synthcity-notes", "synthcity-link"}


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("CHUTES_API_KEY", True),
        ("SYNTHCITY_LLM_API_KEY", True),
        ("HF_TOKEN", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("BT_PW__HOME_MINER", True),
        ("DB_PASSWORD", True),
        ("openai_api_key", True),
        ("BT_HOTKEY_NAME", False),
        ("RAY_AUTH_TOKEN_PATH", False),
        ("KEYBOARD", False),
        ("PATH", False),
        ("SYNTHCITY_BINANCE_URL", False),
    ],
)
def test_secrets_are_known_by_their_names(name: str, is_secret: bool):
    assert secret_names({name: "x"}) == ([name] if is_secret else [])
    assert without_secrets({name: "x"}, needed=(name,)) == {name: "x"}


def test_the_environment_comes_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("A_KEY", "1")
    with environment({"A_KEY": None, "ANOTHER": "2"}):
        assert ("A_KEY" in os.environ, os.environ["ANOTHER"]) == (False, "2")
    assert (os.environ["A_KEY"], "ANOTHER" in os.environ) == ("1", False)


def test_what_was_open_to_others_is_shut(root: Path):
    folder = root / "state"
    (folder / "ledger").mkdir(parents=True)
    (folder / "ledger" / "answers.jsonl").touch(0o644)
    (root / "elsewhere").touch()
    (folder / "link").symlink_to(root / "elsewhere")
    keep_private(folder)
    modes = [path.stat().st_mode & 0o777 for path in (folder, folder / "ledger", folder / "ledger" / "answers.jsonl")]
    assert modes == [0o700, 0o700, 0o600]
    assert (root / "elsewhere").stat().st_mode & 0o077
    with private_files():
        (folder / "new").touch()
    assert (folder / "new").stat().st_mode & 0o777 == 0o600


def test_a_place_that_is_full_or_shut_is_one_sentence(root: Path, monkeypatch: pytest.MonkeyPatch):
    opened = os.open

    def full(path: object, *rest: int, **more: int) -> int:
        if Path(str(path)).name == "new":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return opened(path, *rest, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", full)
        with pytest.raises(Fatal, match=r"new: No space left on device\).*TMPDIR"), private_folder():
            pass
    assert list(root.iterdir()) == []

    def nowhere() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    with pytest.raises(Fatal, match="No usable temporary directory found"), private_folder():
        pass


def test_every_secret_of_the_settings_is_known_by_its_name() -> None:
    empty, variables = Settings(), Settings.variables()
    names = [name for key in variables if isinstance(getattr(empty, key), Secret) for name in variables[key]]
    assert len(names) > 5
    assert secret_names(dict.fromkeys(names, "canary")) == names
