"""What trackers keep, read back by their own means."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any


def wandb_run(folder: Path) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Return what an offline run of W&B logged, by name, and its summary."""
    records = _records(next(folder.glob("*.wandb")))
    logged: dict[str, list[Any]] = {}
    for record in records:
        for item in record.history.item:
            logged.setdefault(_name(item), []).append(json.loads(item.value_json))
    return logged, {_name(item): json.loads(item.value_json) for record in records for item in record.summary.update}


def trackio_says(*arguments: str) -> Any:
    """Return what Trackio's command line says of the project, in the database at TRACKIO_DIR."""
    command = [sys.executable, "-m", "trackio.cli", *arguments, "--project", "synth-city", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    return json.loads(done.stdout)


def _name(item: Any) -> str:
    return item.key or "/".join(item.nested_key)


def _records(path: Path) -> list[Any]:
    """Read an offline file by W&B's own protobuf; it lies in blocks of 32 KB as a log of LevelDB does."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, parts, found = path.read_bytes(), 7, b"", []
    while at + 7 <= len(data):
        left = 32_768 - at % 32_768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            found.append(Record.FromString(parts))
            parts = b""
    return found
