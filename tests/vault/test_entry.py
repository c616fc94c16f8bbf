from __future__ import annotations

import json
from typing import Any

import pytest

from synthcity.errors import ConfigError
from synthcity.vault.entry import MAX_INDEX, DamagedEntry, Entry, StoredFile, parse_entry, takes
from synthcity.vault.layout import new_id

ID = new_id(b"a run")
FILE = {"path": "winner/config.json", "size": 3, "sha256": "0" * 64}
RUN = {
    "competition": "crypto-24h",
    "rules": "2026-09",
    "assets": ["BTC"],
    "source": "store",
    "periods": {
        "train": ["2025-01-01", "2025-06-01"],
        "validation": ["2025-06-01", "2025-07-01"],
        "test": ["2025-07-01", "2025-08-01"],
    },
    "knows": [{"source": "store", "start": 1735689600, "end": 1751328000}],
    "started": 1e9,
    "updated": 2e9,
    "state": "unfinished",
    "trials": 3,
}
INDEX: dict[str, Any] = {
    "format": 1,
    "kind": "run",
    "id": ID,
    "name": "sweep",
    "time": 2e9,
    "code": "0.1.0",
    "competition": "crypto-24h",
    "files": [FILE],
    "run": RUN,
}


def parse(data: object, kind: Any = "run", id: str = ID) -> Entry:
    return parse_entry(json.dumps(data).encode(), kind=kind, id=id, where="runs/x/index.json in /vault")


def test_an_index_is_read_as_it_was_written() -> None:
    entry = parse(INDEX)
    assert parse_entry(entry.to_bytes(), kind="run", id=ID, where="x") == entry
    assert entry.run is not None
    assert entry.run.periods.test.start == 1751328000
    assert entry.key_of(entry.files[0]) == f"runs/{ID}/winner/config.json"
    earlier = new_id(b"a run", after=ID)
    assert entry.key_of(StoredFile(path="a.json", size=1, sha256="0" * 64, entry=earlier)).startswith(
        f"runs/{earlier}/"
    )


PATHS = [
    "/etc/x.json",
    "../x.json",
    "a/../../x.json",
    "a//x.json",
    "./x.json",
    ".x.json",
    "a/.ssh/x.json",
    "C:\\x.json",
    "a\\x.json",
    "x.json\n",
    "a\0.json",
    "x.pkl",
    "x.pt",
    "winner/weights.pickle",
    "x.so",
    "x.py",
    "winner/x.py",
    "code/a/b.py",
    "",
    "x" * 300 + ".json",
    3,
]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_leaves_its_folder_or_is_loaded_is_refused(path: object) -> None:
    with pytest.raises(DamagedEntry, match="is no index"):
        parse({**INDEX, "files": [{**FILE, "path": path}]})


@pytest.mark.parametrize(
    "path", ["winner/code/0.py", "winner/members/0/code/1.py", "authored/0.py", "BTC/x/1s/a.parquet"]
)
def test_what_runs_and_bundles_are_made_of_is_taken(path: str) -> None:
    assert takes(path)
    parse({**INDEX, "files": [{**FILE, "path": path}]})


WRONG: list[dict[str, Any]] = [
    {"format": 2},
    {"format": None},
    {"kind": "bundle"},
    {"kind": "model"},
    {"id": "01M8FCWC7ANS28NJ3C9T74VV34"},
    {"id": "../.."},
    {"name": "a/b"},
    {"name": ".."},
    {"name": "a\x1b[2Jb"},
    {"time": float("nan")},
    {"time": "now"},
    {"run": None},
    {"run": {**RUN, "trials": -1}},
    {"run": {**RUN, "state": "done"}},
    {"run": {**RUN, "periods": {}}},
    {"files": [FILE, FILE]},
    {"files": [FILE, {**FILE, "path": "winner/config.json/a.json"}]},
    {"files": [{**FILE, "size": -1}]},
    {"files": [{**FILE, "size": 1e30}]},
    {"files": [{**FILE, "sha256": "00"}]},
    {"files": [{**FILE, "entry": "../../secrets"}]},
    {"files": {}},
    {"more": 1},
]


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_what_is_no_index_is_refused_in_a_sentence(change: dict[str, Any]) -> None:
    with pytest.raises(DamagedEntry, match=r"runs/x/index\.json in /vault is") as caught:
        parse({**INDEX, **change})
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"null", b"[]", b'{"format": 1e999}', b"\xff\xfe"])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(DamagedEntry):
        parse_entry(content, kind="run", id=ID, where="x")


def test_an_index_that_nobody_would_read_is_not_written() -> None:
    files = tuple(StoredFile(path=f"{'x' * 200}{at}.json", size=1, sha256="0" * 64) for at in range(30_000))
    entry = Entry(format=1, kind="bundle", id=ID, name="x", time=0.0, code="0", files=files)
    with pytest.raises(ConfigError, match="30,000 files, more than one index may name"):
        entry.to_bytes()
    assert MAX_INDEX == 8_000_000
