"""A forecaster on disk: a folder of plain files, checked by hash, loaded without pickle.

::

    config.json          "loader" names the function that rebuilds it, "requires" what of it comes from outside this
                         package, with distribution and version; the rest is that function's
    weights.safetensors  arrays, none for a baseline
    metrics.json         what was measured when it was saved
    manifest.json        format, versions, whatever the writer adds, and the sha256 of each file
    members/0, 1, ...    bundles of their own, for what is made of several
    code/0.py, ...       what a language model wrote: a part of the network, see ``nets.authored``, an input, see
                         ``research.informed``, or a whole forecaster, see ``authored.forecaster``

A bundle with code is loaded only for a caller who says that the code is trusted. What it requires must be installed and
named by an entry point; code that no entry point names is imported only for such a caller, too.
"""

from __future__ import annotations

import importlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

import synthcity
from synthcity import plugins
from synthcity.errors import BundleError, RunError, SynthcityError
from synthcity.files import atomic_folder, standing
from synthcity.forecast.bundles.facts import keep_facts, kept_facts
from synthcity.forecast.bundles.verified import (
    CONFIG,
    FORMAT,
    MANIFEST,
    MAX_DEPTH,
    METRICS,
    WEIGHTS,
    code_file,
    read_bundle,
    sha256,
)
from synthcity.forecast.forecaster import Forecaster

_INSTALL = "synthcity.nets.authored.code"
_WRITTEN = "synthcity.authored.forecaster:from_bundle"
_BY_LOADER = ("feature", "forecaster")  # code that the loader reads again itself
_LONGEST_REASON = 300  # characters of an error that is not ours

# A bundle may name one of these and no other code. Each is called with (folder, config, weights).
LOADERS = frozenset(
    {
        _WRITTEN,
        "synthcity.forecast.baselines:from_bundle",
        "synthcity.forecast.dispatch:from_bundle",
        "synthcity.forecast.external:from_bundle",
        "synthcity.forecast.mixing:from_bundle",
        "synthcity.forecast.quantise:from_bundle",
        "synthcity.nets.forecaster:from_bundle",
        "synthcity.research.informed.forecaster:from_bundle",
    }
)


@runtime_checkable
class Savable(Protocol):
    """A forecaster that writes its own bundle."""

    def save(
        self,
        folder: Path,
        *,
        metrics: Mapping[str, object] | None = None,
        manifest: Mapping[str, object] | None = None,
    ) -> None:
        """Write a bundle to ``folder``."""


def save_bundle(
    folder: Path,
    config: Mapping[str, object],
    weights: Mapping[str, NDArray[np.generic]],
    *,
    origin: object | None = None,
    members: Sequence[object] = (),
    code: Sequence[Mapping[str, object]] = (),
    metrics: Mapping[str, object] | None = None,
    manifest: Mapping[str, object] | None = None,
) -> None:
    """Write a bundle; whoever looks at ``folder`` sees the old state or the new one, nothing between.

    Args:
        folder: where to; a bundle that is there is replaced, anything else is refused.
        config: plain JSON data with the key ``loader``, one of ``LOADERS``.
        weights: arrays by name.
        origin: the forecaster itself; if it was loaded from a bundle, its facts are kept.
        members: forecasters with a ``save`` method, written to ``members/0`` and so on.
        code: what is not packaged: of what a language model wrote, kind, name, source and sha256, written to
            ``code/0.py`` and so on; of what comes from outside, a ``plugins.Plugin`` as plain data.
        metrics: plain JSON data.
        manifest: what else to record, among it the ``facts.Facts`` of what was trained.

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
            written = [entry for entry in code if "source" in entry]
            listed = [{k: v for k, v in entry.items() if k != "source"} for entry in written]
            required = [dict(entry) for entry in code if "source" not in entry]
            for i, entry in enumerate(written):
                (draft / "code").mkdir(exist_ok=True)
                (draft / code_file(i)).write_bytes(str(entry["source"]).encode())
            named = {"code": listed, "requires": required}
            parts = {"num_members": len(members), **{key: value for key, value in named.items() if value}}
            _write_json(draft / CONFIG, {**config, **parts})
            (draft / WEIGHTS).write_bytes(save_arrays({k: np.ascontiguousarray(v) for k, v in weights.items()}))
            _write_json(draft / METRICS, dict(metrics or {}))
            _write_json(
                draft / MANIFEST,
                _manifest(draft, len(members), len(written), {**kept_facts(origin), **(manifest or {})}),
            )
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
        BundleError: a file is missing or differs from its hash, the bundle is foreign or of another version, it
            requires what is not installed, or it holds code and nobody said that this is trusted.
    """
    folder = Path(folder)
    while True:
        here = standing(folder)
        before = _identity(here)
        try:
            loaded = _load(here, trust_code)
        except BundleError:
            if _identity(standing(folder)) == before:
                raise
            continue  # it was replaced meanwhile, so that parts of both were read
        if _identity(standing(folder)) == before:
            return loaded


def _identity(folder: Path) -> tuple[int, ...]:
    """What tells a folder from one that takes its place."""
    try:
        found = folder.stat()
    except (OSError, ValueError):
        return ()
    return found.st_dev, found.st_ino, found.st_ctime_ns


def _load(folder: Path, trust_code: bool) -> Forecaster:
    code, required = _foreign(folder)
    if code and not trust_code:
        listed = ", ".join(f"{path} ({entry['kind']} {entry['name']})" for path, entry in code.items())
        raise BundleError(
            f"{folder} holds code that a language model wrote: {listed}; read it, and if you trust it load with "
            "trust_code=True (--trust-code)"
        )
    for plugin in required:
        plugins.provide(plugin, where=folder, trust_code=trust_code)
    try:
        if parts := [entry for entry in code.values() if entry["kind"] not in _BY_LOADER]:
            importlib.import_module(_INSTALL).install(parts)
    except SynthcityError as error:
        raise BundleError(f"the code in {folder} cannot be used: {error}") from error
    return _rebuild(folder)


def _foreign(folder: Path, depth: int = 0) -> tuple[dict[str, dict[str, str]], list[plugins.Plugin]]:
    """Return all code in a bundle and its members by file, verified and not run, and all that they require."""
    if depth > MAX_DEPTH:
        raise BundleError(f"{folder} lies more than {MAX_DEPTH} members deep, which no bundle does")
    opened = read_bundle(folder)
    found, required = {}, list(opened.parts.requires)
    for i, (entry, source) in enumerate(zip(opened.parts.code, opened.sources, strict=True)):
        found[str(folder / code_file(i))] = {**asdict(entry), "source": source}
    if opened.parts.loader == _WRITTEN and not opened.parts.code:  # as it was saved before its text lay in code
        found[str(folder / CONFIG)] = {"kind": _BY_LOADER[1], "name": "in its config"}
    for i in range(opened.parts.num_members):
        code, more = _foreign(folder / "members" / str(i), depth + 1)
        found |= code
        required += more
    return found, required


def _rebuild(folder: Path) -> Forecaster:
    """Rebuild from a bundle whose code, if there is any, is registered."""
    opened = read_bundle(folder)
    loader = opened.parts.loader
    if loader not in LOADERS:
        raise BundleError(f"{folder} names the loader {loader!r}, which synthcity does not know")
    module, _, function = loader.partition(":")
    try:
        weights = load_arrays(opened.weights)
        rebuild = getattr(importlib.import_module(module), function)
        found = cast(Forecaster, rebuild(folder, opened.config, weights))
    except BundleError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise BundleError(f"{folder} does not fit synthcity {synthcity.__version__}: {reason}") from error
    keep_facts(found, opened.facts)
    return found


def load_members(folder: Path, config: Mapping[str, Any]) -> list[Forecaster]:
    """Load all members of the bundle in ``folder``, whose config this is; for forecasters made of others."""
    return [_rebuild(folder / "members" / str(i)) for i in range(config.get("num_members", 0))]


def _manifest(draft: Path, num_members: int, num_codes: int, extra: Mapping[str, object]) -> dict[str, object]:
    names = [CONFIG, WEIGHTS, METRICS, *(f"members/{i}/{MANIFEST}" for i in range(num_members))]
    names += [code_file(i) for i in range(num_codes)]
    return {
        **extra,
        "format": FORMAT,
        "synthcity": synthcity.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "sha256": {name: sha256((draft / name).read_bytes()) for name in names},
    }


def _write_json(path: Path, data: Mapping[str, object]) -> None:
    path.write_bytes((json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n").encode())
