from __future__ import annotations

import importlib.metadata
import io
import json
import tarfile
from pathlib import Path

import synthcity
from synthcity.cluster.folder import Folder
from synthcity.cluster.joining.parcel import packed, parcel, pins
from synthcity.cluster.joining.transport import Reached
from synthcity.cluster.layout import Place
from synthcity.cluster.plan import Plan


def test_the_whole_package_travels_and_nothing_compiled() -> None:
    root = Path(synthcity.__file__).parent
    with tarfile.open(fileobj=io.BytesIO(parcel().source)) as archive:
        names = set(archive.getnames())
    assert {"synthcity/__init__.py", "synthcity/cluster/joining/node.py"} <= names
    assert not [name for name in names if "__pycache__" in name]
    assert len(names) == sum(path.is_file() and "__pycache__" not in path.parts for path in root.rglob("*"))


def test_what_the_package_needs_is_pinned_to_what_is_here() -> None:
    found = dict(line.split("==") for line in pins())
    for name in ("torch", "ray", "numpy", "aiohttp"):  # the last by the extra that a node's dashboard agent is of
        assert found[name] == importlib.metadata.version(name).partition("+")[0]
    assert "synth-city" not in found
    assert "moto" not in found  # of an extra that no node needs


def test_a_machine_is_told_what_to_do(folder: Folder, plan: Plan) -> None:
    machine = Reached(
        name="tests-gpu-1", kind="gpu", place=Place(1, 7000), host="h", user="u", power_off="off", cpus=4, gpus=2
    )
    with tarfile.open(fileobj=io.BytesIO(packed(machine, folder, plan))) as archive:
        assert {entry.mode for entry in archive.getmembers()} == {0o600}
        files = {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]
    told = json.loads(files["node.json"])
    assert files["token"] == b"its-token"
    assert set(told["sha256"]) == {"source.tar.gz", "requirements.txt"}
    assert told["gcs"] == ["127.0.1.1", 7006]
    assert {"--num-cpus=4", "--num-gpus=2", "--node-ip-address=127.0.1.2", "--address=127.0.1.1:7006"} <= set(
        told["arguments"]
    )
    assert told["environment"]["RAY_NODE_TYPE_NAME"] == "gpu"
    assert "its-token" not in json.dumps(told)
