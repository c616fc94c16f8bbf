from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from synthcity.errors import DataError, RunError
from synthcity.lines import Event, LineWriter, Tail, append_line, read_all, read_lines

WRITER = """
import sys
import threading
from pathlib import Path
from synthcity.lines import LineWriter
with LineWriter(Path(sys.argv[1])) as lines:
    for number in range(int(sys.argv[2])):
        lines.append({"number": number, "text": "x" * 5000, "writer": sys.argv[3]})
        print(number, flush=True)
"""


def start(path: Path, count: int, name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, str(path), str(count), name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": "."})


def test_what_was_written_is_read_back_in_order(tmp_path):
    path = tmp_path / "new" / "file.jsonl"
    assert read_lines(path).events == ()
    for first in (0, 3):
        with LineWriter(path) as lines:
            assert lines.mended is None
            for number in range(first, first + 3):
                lines.append({"number": number, "text": "a\nb\u2028é"})
    found = read_lines(path)
    assert [event["number"] for event in found.events] == list(range(6))
    assert found.events[0]["text"] == "a\nb\u2028é"
    assert found.problems == ()


def test_a_torn_last_line_is_put_aside_and_told(tmp_path):
    path = tmp_path / "file.jsonl"
    path.write_bytes(b'{"number":0}\n{"numb')
    found = read_lines(path)
    assert len(found.events) == 1
    assert found.problems == (f"the last line of {path} is torn and left out",)
    with LineWriter(path) as lines:
        assert "was torn, 6 bytes; it was moved to" in lines.mended
        lines.append({"number": 1})
    assert [event["number"] for event in read_lines(path).events] == [0, 1]
    assert (tmp_path / "file.jsonl.torn").read_bytes() == b'{"numb\n'


@pytest.mark.parametrize("damage", [b"\x00\x00\xff", b"[1]", b'{"number":', b""])
def test_a_damaged_line_costs_itself_alone(tmp_path, damage):
    path = tmp_path / "file.jsonl"
    path.write_bytes(b'{"number":0}\n' + damage + b'\n{"number":2}\n')
    found = read_lines(path)
    assert [event["number"] for event in found.events] == [0, 2]
    assert found.problems == (f"line 2 of {path} is damaged and left out",)


def test_a_file_that_tells_a_story_is_read_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "file.jsonl"
    assert read_all(path) == []
    append_line(path, {"text": "ü"})
    with path.open("ab") as file:
        file.write(b'{"torn": ')
    assert read_all(path) == [{"text": "ü"}]
    append_line(path, {"number": 1})
    assert path.read_text(encoding="utf-8") == '{"text":"ü","crc":"c703cc65"}\n{"number":1,"crc":"de49ce98"}\n'
    path.write_bytes(b'{"number":1}\nnonsense\n[1]\n')
    with pytest.raises(RunError, match=r"file\.jsonl is damaged at line 2"):
        read_all(path)
    with pytest.raises(RunError, match="cannot read"):
        read_all(tmp_path)
    with pytest.raises(RunError, match="cannot write"):
        append_line(path / "below", {})


def test_who_wants_a_file_alone_gets_it_alone(tmp_path):
    path = tmp_path / "file.jsonl"
    with LineWriter(path, exclusive=True) as lines:
        with pytest.raises(RunError, match=r"another process writes to .*file\.jsonl"):
            LineWriter(path, exclusive=True)
        lines.append({})
    LineWriter(path, exclusive=True).close()


def test_several_processes_share_a_file(tmp_path):
    path = tmp_path / "file.jsonl"
    writers = [start(path, 40, name) for name in "ab"]
    for writer in writers:
        writer.communicate()
    found = read_lines(path)
    assert found.problems == ()
    for name in "ab":
        assert [event["number"] for event in found.events if event["writer"] == name] == list(range(40))


def test_a_line_waits_while_another_process_mends_the_file(tmp_path):
    path = tmp_path / "file.jsonl"
    with LineWriter(path) as lines, path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = threading.Thread(target=lines.append, args=({"number": 0},))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert path.read_bytes() == b""
        fcntl.flock(other, fcntl.LOCK_UN)
        waiting.join()
    assert len(read_lines(path).events) == 1


def test_a_line_torn_by_another_process_is_put_aside_before_the_next(tmp_path):
    path = tmp_path / "file.jsonl"
    with LineWriter(path) as lines:
        lines.append({"number": 0})
        with path.open("ab") as file:
            file.write(b'{"numb')
        lines.append({"number": 1})
        assert "was torn, 6 bytes" in lines.mended
    assert [event["number"] for event in read_lines(path).events] == [0, 1]


def test_a_killed_writer_leaves_whole_lines_and_no_lock(tmp_path):
    path = tmp_path / "file.jsonl"
    for _ in range(3):
        with start(path, 10**6, "a") as process:
            told = [int(process.stdout.readline()) for _ in range(20)]
            process.send_signal(signal.SIGKILL)
        numbers = [event["number"] for event in read_lines(path).events]
        assert numbers[: len(told)] == told
        path.unlink()
        with LineWriter(path) as lines:
            lines.append({})
        path.unlink()


def test_what_is_no_folder_or_no_number_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="cannot write"):
        LineWriter(tmp_path / "file" / "lines.jsonl")
    with pytest.raises(RunError, match="cannot read"):
        read_lines(tmp_path)
    with LineWriter(tmp_path / "lines.jsonl") as lines:
        with pytest.raises(ValueError, match="not JSON compliant"):
            lines.append({"price": float("nan")})
        lines.append({"price": 1.0})
        with pytest.raises(ValueError, match="the key 'crc' is the checksum's own"):
            lines.append({"crc": 1})
    assert read_lines(tmp_path / "lines.jsonl").events == ({"price": 1.0},)


def test_a_full_disk_is_an_error_and_leaves_no_part_of_a_line(tmp_path):
    import resource

    path = tmp_path / "file.jsonl"
    with LineWriter(path) as lines:
        lines.append({"number": 0})
        before, limit = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, limit[1]))
        try:
            with pytest.raises(RunError, match="cannot write"):
                lines.append({"text": "x" * 100})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
            signal.signal(signal.SIGXFSZ, handler)
        assert path.read_bytes() == before
        lines.append({"number": 1})
    assert [event["number"] for event in read_lines(path).events] == [0, 1]


def even(event: Event) -> int:
    if event["number"] % 2:
        raise DataError(f"holds the odd {event['number']}")
    return event["number"]


def test_a_tail_gives_every_line_once_and_a_torn_one_when_it_is_whole(tmp_path):
    path = tmp_path / "file.jsonl"
    tail = Tail(path, even)
    assert (tail.read(), tail.is_cut, tail.problems) == ([], False, ())
    path.write_bytes(b'{"number":0}\n{"number":1}\nnonsense\n{"number":2}\n{"number":4}\n{"num')
    assert (tail.read(2), tail.read(2), tail.read(2)) == ([0, 2], [4], [])
    torn = f"the last line of {path} is torn and left out"
    damaged = f"line 3 of {path} is damaged and left out"
    foreign = f"1 of the lines of {path} are foreign and left out; the first holds the odd 1"
    assert tail.problems == (damaged, torn, foreign)
    with path.open("ab") as file:
        file.write(b'ber":6}\nnonsense\n')
    assert (tail.read(), tail.is_cut) == ([6], False)
    assert tail.problems == (damaged, damaged.replace("line 3", "line 7"), foreign)


@pytest.mark.parametrize("change", ["shorter", "longer", "removed", "replaced"])
def test_a_tail_notices_that_its_file_was_changed(tmp_path, change):
    path = tmp_path / "file.jsonl"
    path.write_bytes(b'{"number":0}\n{"number":2}\n')
    tail = Tail(path, even)
    tail.read()
    assert not tail.is_cut
    if change == "shorter":
        path.write_bytes(b'{"number":0}\n')
    elif change == "longer":
        path.write_bytes(b'{"number":0}\n{"number":2000000}\n')
    elif change == "removed":
        path.unlink()
    else:
        (tmp_path / "new").write_bytes(path.read_bytes())
        (tmp_path / "new").replace(path)
    assert tail.is_cut


def test_half_a_character_is_written_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    event = {"text": "a file name \udcff that is no UTF-8, and é"}
    append_line(path, event)
    assert read_all(path) == [event]


OLD = b'{"kind":"rung","id":"c0001","score":5408.25}\n{"kind":"rung","id":"c0002","score":5500.0,"text":"crc"}\n'


def test_lines_without_a_checksum_are_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(OLD)
    append_line(path, {"kind": "rung", "id": "c0003"})
    assert [event["id"] for event in read_all(path)] == ["c0001", "c0002", "c0003"]
    assert read_lines(path).problems == ()


def test_no_flipped_bit_makes_another_event(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    events: list[Event] = [{"kind": "rung", "score": 5408.25, "J*": [1, 2]}, {}, {"kind": "stage", "text": "é\n"}]
    for event in events:
        append_line(path, event)
    whole, told = path.read_bytes(), 0
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        found = read_lines(path)
        assert [event for event in found.events if event not in events] == [], bit
        assert len(found.events) < len(events)
        assert found.problems
        told += 1
        if not any("torn" in problem for problem in found.problems):
            with pytest.raises(RunError, match=r"lines\.jsonl is damaged at line [123]"):
                read_all(path)
    assert told >= 1000


def test_a_line_and_the_name_of_its_file_are_on_the_disk_before_anyone_acts_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, int]] = []

    def fsync(descriptor: int) -> None:
        synced.append((os.readlink(f"/proc/self/fd/{descriptor}"), os.fstat(descriptor).st_size))

    monkeypatch.setattr(os, "fsync", fsync)
    path = tmp_path / "run" / "lines.jsonl"
    with LineWriter(path) as lines:
        assert [name for name, _ in synced] == [str(tmp_path), str(path.parent)]  # both are new
        lines.append({"number": 0})
    assert synced[2:] == [(str(path), path.stat().st_size)]
    synced.clear()
    append_line(path, {"number": 1})
    assert synced == [(str(path), path.stat().st_size)]
