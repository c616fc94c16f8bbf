"""What travels to a machine that becomes a node: this version of the package, and which others it needs.

Nothing of it is secret but the cluster's own token, which whoever joins needs.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import io
import json
import platform
import tarfile
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import synthcity
from synthcity.cluster.folder import Folder
from synthcity.cluster.joining.transport import Reached
from synthcity.cluster.plan import Plan

DISTRIBUTION = "synth-city"
_ROOTS = ("cluster",)  # extras that a node needs
PATIENCE_SECONDS = 300.0  # without a head after which a machine ends itself
_NODE = Path(__file__).with_name("node.py")


@dataclass(frozen=True)
class Parcel:
    """What all machines get: the package's source as ``tar.gz``, and pins of what it needs, one a line."""

    source: bytes
    requirements: str


@functools.cache
def parcel() -> Parcel:
    """Pack it, once a process; the same source gives the same bytes."""
    root = Path(synthcity.__file__).parent
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=6) as archive:
        for path in found:
            _add(archive, str(path.relative_to(root.parent)), path.read_bytes())
    return Parcel(packed.getvalue(), "".join(f"{line}\n" for line in pins()))


def pins() -> list[str]:
    """Return the version of every package that the package needs here, without what names a build of it.

    A GPU's machine takes another build of torch than one without, of the same version.
    """
    waiting = [(DISTRIBUTION, frozenset(_ROOTS))]
    seen: set[tuple[str, frozenset[str]]] = set()
    found: dict[str, str] = {}
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of an extra that is not installed here
        if name != DISTRIBUTION:
            found[canonicalize_name(name)] = distribution.version.partition("+")[0]
        for text in distribution.requires or ():
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                waiting.append((requirement.name, frozenset(requirement.extras)))
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def packed(machine: Reached, folder: Folder, plan: Plan) -> bytes:
    """Return a ``tar`` of all that a machine is sent."""
    common = parcel()
    files = {"source.tar.gz": common.source, "requirements.txt": common.requirements.encode()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    told = json.dumps(instructions(machine, plan) | {"sha256": digests})
    token = folder.token.read_bytes()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in {
            **files,
            "token": token,
            "node.json": told.encode(),
            "node.py": _NODE.read_bytes(),
        }.items():
            _add(archive, name, content)
    return out.getvalue()


def instructions(machine: Reached, plan: Plan) -> dict[str, object]:
    """Return what the machine's ``node.json`` says, but for the digests of what lies beside it."""
    place = machine.place
    host, _, port = place.gcs.rpartition(":")
    labels = ",".join(f"{name}={value}" for name, value in sorted(machine.labels.items()))
    arguments = [
        *(f"--address={place.gcs}", f"--num-cpus={machine.cpus}", f"--num-gpus={machine.gpus}"),
        *("--disable-usage-stats", *place.arguments, *([f"--labels={labels}"] if labels else [])),
    ]
    return {
        "name": machine.name,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "prepare": machine.prepare,
        "power_off": machine.power_off,
        "port": machine.port,
        "gcs": [host, int(port)],
        "address": [place.address, place.first],
        "arguments": arguments,
        "environment": {
            "RAY_AUTH_MODE": "token",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_CLOUD_INSTANCE_ID": machine.name,
            "RAY_NODE_TYPE_NAME": machine.kind,
        },
        "patience": PATIENCE_SECONDS,
    }


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))
