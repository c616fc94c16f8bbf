from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from synthcity import files
from synthcity.files import PRIVATE, atomic_file, atomic_folder, atomic_write, make_folder, obstacle, standing
from tests.faults import campaign

KINDS = ("kill", "error", "gone")


def replace_file(folder: Path) -> None:
    old = (folder / "file").read_bytes() if (folder / "file").exists() else b"old"
    atomic_write(folder / "file", b"new" * 100 if old == b"old" else b"old")


def replace_folder(folder: Path) -> None:
    target = folder / "target"
    name = "new" if standing(target).exists() and (standing(target) / "old").exists() else "old"
    with atomic_folder(target) as draft:
        (draft / name / "deep").mkdir(parents=True)
        (draft / name / "deep" / "file").write_text(name * 100)


def replace_folder_without_exchange(folder: Path) -> None:
    files._exchange = _refuse  # type: ignore[assignment]
    replace_folder(folder)


def _refuse(one: Path, other: Path) -> None:
    raise OSError(errno.EINVAL, "no exchange here")


def check(folder: Path) -> None:
    if (folder / "file").exists():
        assert (folder / "file").read_bytes() in (b"old", b"new" * 100)
        assert {path.name for path in folder.iterdir()} <= {"file", ".file.tmp"}
    else:
        (name,) = (path.name for path in standing(folder / "target").iterdir())
        assert (standing(folder / "target") / name / "deep" / "file").read_text() == name * 100
        assert {path.name for path in folder.iterdir()} <= {"target", ".target.tmp", ".target.old"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("function", "least"), [("replace_file", 6), ("replace_folder", 12), ("replace_folder_without_exchange", 14)]
)
def test_whatever_call_fails_or_is_the_last_the_old_or_the_new_state_stands(tmp_path, function, least, kind):
    assert campaign(f"{__name__}:{function}", tmp_path, kind) >= least
    assert len(list(tmp_path.iterdir())) == 1, "the last writer takes leftovers over"


@pytest.fixture
def calls(monkeypatch) -> list[tuple[str, str]]:
    """What reached the disk, in order: ("sync" or "name", the file's name)."""
    seen: list[tuple[str, str]] = []
    fsync, replace, rename, exchange = os.fsync, os.replace, os.rename, files._exchange

    def record_sync(handle: int) -> None:
        seen.append(("sync", Path(os.readlink(f"/proc/self/fd/{handle}")).name))
        fsync(handle)

    def recorded(move):
        def call(one: Path, other: Path) -> None:
            seen.append(("name", Path(other).name))
            move(one, other)

        return call

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(os, "replace", recorded(replace))
    monkeypatch.setattr(os, "rename", recorded(rename))
    monkeypatch.setattr(files, "_exchange", recorded(exchange))
    return seen


def test_content_is_on_the_disk_before_the_name_and_the_folder_after_it(tmp_path, calls):
    atomic_write(tmp_path / "file", "text")
    assert calls == [("sync", ".file.tmp"), ("name", "file"), ("sync", tmp_path.name)]
    assert (tmp_path / "file").read_text() == "text"


def test_a_folder_is_on_the_disk_with_all_in_it_before_its_name(tmp_path, calls):
    for _ in range(2):  # the first makes it, the second replaces it
        calls.clear()
        with atomic_folder(tmp_path / "target") as draft:
            (draft / "inner").mkdir()
            (draft / "inner" / "file").touch()
        assert calls == [
            ("sync", "file"),
            ("sync", "inner"),
            ("sync", ".target.tmp"),
            ("name", "target"),
            ("sync", tmp_path.name),
        ]


def test_new_folders_are_on_the_disk_each_before_the_next(tmp_path, calls):
    make_folder(tmp_path / "a" / "b")
    assert calls == [("sync", tmp_path.name), ("sync", "a")]
    make_folder(tmp_path / "a" / "b")
    assert len(calls) == 2


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    atomic_write(tmp_path / "file", "old")
    with pytest.raises(TypeError), atomic_file(tmp_path / "file") as draft, draft.open("w") as half:
        half.writelines(["half", 1])  # type: ignore[list-item]
    with pytest.raises(FileNotFoundError), atomic_folder(tmp_path / "folder") as draft:
        (draft / "half").symlink_to("nothing")  # which cannot be made durable
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"


def test_permissions_are_as_asked_whatever_was_there(tmp_path):
    atomic_write(tmp_path / "file", "")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644
    atomic_write(tmp_path / "file", "", mode=PRIVATE)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    with atomic_folder(tmp_path / "folder"):
        pass
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o755


def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "file").touch()
    (tmp_path / "link").symlink_to("first")
    with atomic_folder(tmp_path / "link") as draft:
        (draft / "other").touch()
    assert not (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "link"]
    assert (tmp_path / "first" / "file").exists()


def test_a_planted_link_is_not_followed(tmp_path):
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / ".file.tmp").symlink_to("theirs")
    with pytest.raises(OSError, match=r"Too many levels|symbolic"):
        atomic_write(tmp_path / "file", "mine")
    assert (tmp_path / "theirs").read_text() == "theirs"


def test_a_folder_that_cannot_be_put_in_its_place_leaves_the_old_one(tmp_path, monkeypatch):
    def fail_the_second(one: Path, other: Path) -> None:
        if other == tmp_path / "target" and one.name.endswith(".tmp"):
            raise OSError(errno.EIO, "no")
        rename(one, other)

    replace_folder(tmp_path)
    rename = os.rename
    monkeypatch.setattr(files, "_exchange", _refuse)
    monkeypatch.setattr(os, "rename", fail_the_second)
    with pytest.raises(OSError, match="no"):
        replace_folder(tmp_path)
    assert (tmp_path / "target" / "old").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_writers_of_the_same_file_wait_for_each_other(tmp_path):
    texts = [str(number) * 10_000 for number in range(8)]
    writers = [threading.Thread(target=atomic_write, args=(tmp_path / "file", text)) for text in texts]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (tmp_path / "file").read_text() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_draft_of_a_killed_writer_is_taken_over(tmp_path):
    writer = (
        "import os, signal, sys; from pathlib import Path; from synthcity.files import atomic_file\n"
        "with atomic_file(Path(sys.argv[1])) as draft:\n"
        "    draft.write_text('a long half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", writer, str(tmp_path / "file")])
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == [".file.tmp"]
    atomic_write(tmp_path / "file", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "whole"


def test_an_obstacle_is_found_by_trying(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    assert obstacle(tmp_path / "new.json") is None
    assert obstacle(tmp_path / "file") is None
    assert obstacle(tmp_path / "pipe") is None
    assert obstacle(tmp_path / "new" / "deep", is_folder=True) is None
    assert obstacle(tmp_path) == f"{tmp_path} is a folder"
    assert obstacle(tmp_path / "new" / "x") == f"there is no folder {tmp_path / 'new'}; make it"
    assert obstacle(tmp_path / "file" / "x", is_folder=True) == f"{tmp_path / 'file'} is no folder"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "pipe"]

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(files.tempfile, "TemporaryFile", read_only)
    assert obstacle(tmp_path / "new.json") == f"{tmp_path} cannot be written to: Read-only file system"
