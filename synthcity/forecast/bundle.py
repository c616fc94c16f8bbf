"""A forecaster on disk: a folder of plain files, checked by hash, loaded without pickle.

::

    config.json          "loader" names the function that rebuilds it; the rest is that function's
    weights.safetensors  arrays, none for a baseline
    metrics.json         what was measured when it was saved
    manifest.json        format, versions, whatever the writer adds, and the sha256 of each file
    members/0, 1, ...    bundles of their own, for what is made of several
    code/0.py, ...       what a language model wrote, if the network has such a part; see ``nets.authored``

A bundle with code is loaded only for a caller who says that the code is trusted.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

import synthcity
from synthcity.errors import BundleError, ConfigError, RunError, SynthcityError
from synthcity.files import atomic_folder, standing
from synthcity.forecast.forecaster import Forecaster

FORMAT = 1
_INSTALL = "synthcity.nets.authored.code"
CONFIG, WEIGHTS, METRICS, MANIFEST = "config.json", "weights.safetensors", "metrics.json", "manifest.json"

# A bundle may name one of these and no other code. Each is called with (folder, config, weights).
LOADERS = frozenset(
    {
        "synthcity.forecast.baselines:from_bundle",
        "synthcity.forecast.dispatch:from_bundle",
        "synthcity.forecast.mixing:from_bundle",
        "synthcity.forecast.quantise:from_bundle",
        "synthcity.nets.forecaster:from_bundle",
    }
)


@runtime_checkable
class Savable(Protocol):
    """A forecaster that writes its own bundle."""

    def save(
        self,
        folder: Path,
        *,
        metrics: Mapping[str, Any] | None = None,
        manifest: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a bundle to ``folder``."""


def save_bundle(
    folder: Path,
    config: Mapping[str, Any],
    weights: Mapping[str, NDArray[Any]],
    *,
    members: Sequence[object] = (),
    code: Sequence[Mapping[str, str]] = (),
    metrics: Mapping[str, Any] | None = None,
    manifest: Mapping[str, Any] | None = None,
) -> None:
    """Write a bundle; whoever looks at ``folder`` sees the old state or the new one, nothing between.

    Args:
        folder: where to; a bundle that is there is replaced, anything else is refused.
        config: plain JSON data with the key ``loader``, one of ``LOADERS``.
        weights: arrays by name.
        members: forecasters with a ``save`` method, written to ``members/0`` and so on.
        code: kind, name, source and sha256 of what a language model wrote, written to ``code/0.py`` and so on.
        metrics: plain JSON data.
        manifest: what else to record: data range, seeds, git hash.

    Raises:
        BundleError: a member cannot be saved, or ``folder`` holds something that is no bundle.
        RunError: the disk refuses; what was there stays.
        ValueError: the loader is not allowed, or a value is no JSON (NaN and infinity included).
    """
    folder = Path(folder)
    if config.get("loader") not in LOADERS:
        raise ValueError(f"config['loader'] is {config.get('loader')!r}; allowed: {sorted(LOADERS)}")
    if folder.exists() and not (folder.is_dir() and (folder / MANIFEST).is_file()):
        raise BundleError(f"{folder} exists and is no bundle; it is left alone, choose another folder")
    try:
        with atomic_folder(folder) as draft:
            for i, member in enumerate(members):
                if not isinstance(member, Savable):
                    raise BundleError(f"{type(member).__name__} has no save method, so it cannot go into a bundle")
                member.save(draft / "members" / str(i))
            listed = [{k: v for k, v in entry.items() if k != "source"} for entry in code]
            for i, entry in enumerate(code):
                (draft / "code").mkdir(exist_ok=True)
                (draft / _code_file(i)).write_bytes(entry["source"].encode())
            parts = {"num_members": len(members), **({"code": listed} if listed else {})}
            _write_json(draft / CONFIG, {**config, **parts})
            (draft / WEIGHTS).write_bytes(save_arrays({k: np.ascontiguousarray(v) for k, v in weights.items()}))
            _write_json(draft / METRICS, dict(metrics or {}))
            _write_json(draft / MANIFEST, _manifest(draft, len(members), len(code), manifest or {}))
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"cannot write the bundle {folder} ({reason}); make space or choose another folder") from error


def load(folder: Path | str, *, trust_code: bool = False) -> Forecaster:
    """Rebuild the forecaster that a bundle holds.

    Args:
        folder: the bundle.
        trust_code: run what a language model wrote, if the bundle holds such code. Its hash shows that it is what was
            saved, not that it is harmless: read it, or know who saved it.

    Raises:
        BundleError: a file is missing or differs from its hash, the bundle is foreign or of another version, or it
            holds code and nobody said that this is trusted.
    """
    folder = standing(Path(folder))
    code = _code_of(folder)
    if code and not trust_code:
        listed = ", ".join(f"{path} ({entry['kind']} {entry['name']})" for path, entry in code.items())
        raise BundleError(
            f"{folder} holds code that a language model wrote: {listed}; read it, and if you trust it load with "
            "trust_code=True (--trust-code)"
        )
    try:
        if code:
            importlib.import_module(_INSTALL).install(code.values())
    except SynthcityError as error:
        raise BundleError(f"the code in {folder} cannot be used: {error}") from error
    return _rebuild(folder)


def _code_of(folder: Path) -> dict[str, dict[str, str]]:
    """Return all code in a bundle and its members by file, verified and not run."""
    config = _verified_config(folder)
    found = {}
    for i, entry in enumerate(config.get("code", ())):
        path = folder / _code_file(i)
        found[str(path)] = {**entry, "source": path.read_bytes().decode("utf-8", errors="replace")}
    for i in range(int(config.get("num_members", 0))):
        found |= _code_of(folder / "members" / str(i))
    return found


def _rebuild(folder: Path) -> Forecaster:
    """Rebuild from a bundle whose code, if there is any, is registered."""
    config = _verified_config(folder)
    loader = config.get("loader")
    if loader not in LOADERS:
        raise BundleError(f"{folder} names the loader {loader!r}, which synthcity does not know")
    module, _, function = loader.partition(":")
    try:
        weights = load_arrays((folder / WEIGHTS).read_bytes())
        rebuild = getattr(importlib.import_module(module), function)
        return cast(Forecaster, rebuild(folder, config, weights))
    except (KeyError, TypeError, ValueError, ConfigError, SafetensorError) as error:
        raise BundleError(f"{folder} does not fit synthcity {synthcity.__version__}: {error}") from error


def load_member(folder: Path, index: int) -> Forecaster:
    """Load member ``index`` of the bundle in ``folder``; for loaders of forecasters made of others."""
    return _rebuild(folder / "members" / str(index))


def _verified_config(folder: Path) -> dict[str, Any]:
    """Return the config after every file was held against its hash in the manifest."""
    manifest = _read_json(folder / MANIFEST)
    if manifest.get("format") != FORMAT:
        raise BundleError(
            f"{folder} is of format {manifest.get('format')!r}, synthcity {synthcity.__version__} reads {FORMAT}"
        )
    hashes = manifest.get("sha256")
    if not isinstance(hashes, dict):
        raise BundleError(f"{folder / MANIFEST} lists no hashes; copy the bundle again")
    for name in (CONFIG, WEIGHTS, METRICS):
        _verify(folder, name, hashes)
    config = _read_json(folder / CONFIG)
    for i in range(int(config.get("num_members", 0))):
        _verify(folder, _member_manifest(i), hashes)
    for i in range(len(config.get("code", ()))):
        _verify(folder, _code_file(i), hashes)
    return config


def _verify(folder: Path, name: str, hashes: Mapping[str, str]) -> None:
    path = folder / name
    if not path.is_file():
        raise BundleError(f"{path} is missing; copy the bundle again")
    if _sha256(path) != hashes.get(name):
        raise BundleError(f"{path} differs from its hash in the manifest; it is damaged or was edited")


def _member_manifest(index: int) -> str:
    return f"members/{index}/{MANIFEST}"


def _code_file(index: int) -> str:
    return f"code/{index}.py"


def _manifest(draft: Path, num_members: int, num_codes: int, extra: Mapping[str, Any]) -> dict[str, Any]:
    names = [CONFIG, WEIGHTS, METRICS, *(_member_manifest(i) for i in range(num_members))]
    names += [_code_file(i) for i in range(num_codes)]
    return {
        **extra,
        "format": FORMAT,
        "synthcity": synthcity.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "sha256": {name: _sha256(draft / name) for name in names},
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    path.write_bytes((json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n").encode())


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise BundleError(f"{path} is missing; {path.parent} is no bundle") from None
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise BundleError(f"{path} must hold a JSON object, not {type(data).__name__}")
    return data
