from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from synthcity.errors import DataError, RunError
from synthcity.serve.admission.metagraph import Metagraph, Snapshot
from synthcity.serve.admission.nonces import KEPT_NS, Nonces
from tests.serve.dialogue import snapshot, write_snapshot


def test_a_snapshot_comes_back_as_it_was(tmp_path: Path):
    assert Snapshot.read(write_snapshot(tmp_path)) == snapshot()
    assert [path.name for path in tmp_path.iterdir()] == ["metagraph.json"]


@pytest.mark.parametrize(
    "change",
    [
        {"neurons": []},
        {"neurons": {"5a": {}}},
        {"neurons": {"5a": {"uid": 1, "stake": "NaN", "validator_permit": True, "ip": ""}}},
        {"neurons": {"5a": {"uid": 1, "stake": float("nan"), "validator_permit": True, "ip": ""}}},
        {"neurons": {"5a": {"uid": 1, "stake": 1.0, "validator_permit": "yes", "ip": ""}}},
        {"block": None},
        {"more": 1},
    ],
)
def test_what_is_no_snapshot_is_refused(tmp_path: Path, change: dict):
    path = write_snapshot(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError, match="is no snapshot"):
        Snapshot.read(path)


def test_follows_the_file_and_keeps_the_last_good_one(tmp_path: Path):
    ticks = iter(range(0, 1000, 10))
    registry = Metagraph(tmp_path / "metagraph.json", monotonic=lambda: next(ticks))
    assert registry.snapshot is None
    assert "cannot read" in str(registry.problem)
    write_snapshot(tmp_path)
    assert registry.snapshot == snapshot()
    assert registry.problem is None
    (tmp_path / "metagraph.json").write_text("[]")
    assert registry.snapshot == snapshot()
    assert "is no snapshot" in str(registry.problem)
    (tmp_path / "metagraph.json").unlink()
    assert registry.snapshot == snapshot()


def test_nonces_only_rise_and_outlive_the_process(tmp_path: Path):
    nonces = Nonces(tmp_path / "n")
    assert [nonces.raise_to("a", "u", n) for n in (5, 5, 4, 6)] == [True, False, False, True]
    assert nonces.raise_to("a", "v", 1)
    assert nonces.raise_to("b", "u", 1)
    nonces.close()
    again = Nonces(tmp_path / "n")
    assert [again.raise_to("a", "u", n) for n in (6, 7)] == [False, True]
    again.close()


HOLD = """
import sys, time
from synthcity.serve.admission.nonces import Nonces
nonces = Nonces(sys.argv[1])
print(*(nonces.raise_to("a", "u", nonce) for nonce in (1, 5, 7, 8)), flush=True)
nonces.spend("a", "u", 7)
print(flush=True)
time.sleep(600)
"""


def test_what_a_killed_process_left_unanswered_is_taken_up_once(tmp_path: Path):
    heirs = [Nonces(tmp_path / "n"), Nonces(tmp_path / "n")]
    command = [sys.executable, "-c", HOLD, str(tmp_path / "n")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, ExitStack() as stack:
        stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline().split() == ["True"] * 4
        process.stdout.readline()
        assert [heirs[0].raise_to("a", "u", nonce) for nonce in (5, 7, 8)] == [False] * 3, "its holder lives"
        assert [heirs[0].is_held_elsewhere("a", "u", nonce) for nonce in (5, 7, 8)] == [True, False, True]
    assert [heirs[0].raise_to("a", "u", nonce) for nonce in (4, 5, 7, 8)] == [False, True, False, True]
    assert [one.raise_to("a", "u", nonce) for one in heirs for nonce in (5, 7, 8)] == [False] * 6
    assert not heirs[0].is_held_elsewhere("a", "u", 5), "by us"
    heirs[0].close()
    assert [heirs[1].raise_to("a", "u", nonce) for nonce in (5, 7, 8, 1)] == [False, False, False, True]
    heirs[1].close()


def test_old_nonces_are_dropped(tmp_path: Path):
    nonces = Nonces(tmp_path / "n")
    nonces.raise_to("a", "u", KEPT_NS)
    nonces.raise_to("b", "u", 3 * KEPT_NS)
    assert nonces._file.execute("SELECT caller FROM taken").fetchall() == [("b",)]
    nonces.close()


def test_a_file_that_is_no_memory_is_refused(tmp_path: Path):
    (tmp_path / "n").write_bytes(b"x" * 5000)
    with pytest.raises(RunError, match="choose another folder"):
        Nonces(tmp_path / "n")


def test_a_full_disk_is_told_and_no_nonce_counts_twice_meanwhile(tmp_path: Path, caplog):
    nonces = Nonces(tmp_path / "n")
    assert nonces.raise_to("a", "u", 5)
    nonces._file.execute("PRAGMA max_page_count = 1")  # SQLite takes what it has as the least
    told = 0
    while nonces.problem is None:
        told += 1
        assert nonces.raise_to("a", f"{told:0500}", 5)
        assert told < 1000
    assert "database or disk is full" in nonces.problem
    assert not nonces.raise_to("a", f"{told:0500}", 5), "in memory"
    assert not nonces.raise_to("a", "u", 5), "on the disk"
    assert nonces.raise_to("b", "v" * 500, 7)
    nonces._file.execute("PRAGMA max_page_count = 1000000")
    assert not nonces.raise_to("b", "v" * 500, 7), "the disk does not know it"
    assert nonces.raise_to("b", "v" * 500, 8)
    assert nonces.problem is None
    assert "remembered in memory" in caplog.text
    nonces.close()


def test_a_holder_that_cannot_be_looked_up_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    one, other = Nonces(tmp_path / "n"), Nonces(tmp_path / "n")
    assert one.raise_to("5a", "u", 10**18)

    def too_many_files(folder: Path, name: str) -> bool:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("synthcity.serve.admission.nonces.is_present", too_many_files)
    with pytest.raises(RunError, match=r"cannot remember a nonce in .*Too many open files"):
        other.raise_to("5a", "u", 10**18)
    one.close()
    other.close()
