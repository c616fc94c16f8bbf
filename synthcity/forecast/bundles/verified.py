"""A bundle's folder as it is read: plain files inside it, each held against its hash, in the form of all bundles.

Nothing here runs anything of a bundle. A hash shows that a file is what was saved, not that whoever saved it meant
well, so forms and sizes are checked as if a stranger had written them.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import synthcity
from synthcity import strict_json
from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.bundles.facts import Facts
from synthcity.plugins import Plugin
from synthcity.schema import build, key

FORMAT = 1
CONFIG, WEIGHTS, METRICS, MANIFEST = "config.json", "weights.safetensors", "metrics.json", "manifest.json"
MAX_MEMBERS = 64  # a mix has a few, a dispatch one a competition and group of assets
MAX_DEPTH = 8
_MAX_BYTES = {WEIGHTS: 2 << 30}
_MAX_TEXT = 16 << 20  # bytes of any other file

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CodeEntry:
    """What a config tells of a file in ``code``."""

    kind: str = key(choices=("block", "head", "feature", "forecaster"))
    name: str
    sha256: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parts:
    """The keys of a config that are no loader's own."""

    loader: str
    num_members: int = key(0, low=0, high=MAX_MEMBERS)
    code: tuple[CodeEntry, ...] = ()
    requires: tuple[Plugin, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verified:
    """A bundle without its members; ``sources`` are the texts of ``parts.code``, ``facts`` what its manifest tells."""

    folder: Path
    config: Mapping[str, object]
    parts: Parts
    weights: bytes
    sources: tuple[str, ...]
    facts: Facts

    @property
    def listed(self) -> list[str]:
        """Every file of it, those of members apart."""
        return [CONFIG, WEIGHTS, METRICS, MANIFEST, *map(code_file, range(len(self.sources)))]


def read_bundle(folder: Path) -> Verified:
    """Read a bundle, its members' manifests held against their hashes but not opened.

    Raises:
        BundleError: a file is missing, too large, no plain file of this folder, differs from its hash or has another
            form than bundles have.
    """
    manifest = _json(folder / MANIFEST, _bytes(folder, MANIFEST))
    if manifest.get("format") != FORMAT:
        raise BundleError(
            f"{folder} is of format {manifest.get('format')!r}, synthcity {synthcity.__version__} reads {FORMAT}"
        )
    hashes = manifest.get("sha256")
    if not isinstance(hashes, dict):
        raise BundleError(f"{folder / MANIFEST} lists no hashes; copy the bundle again")
    config = _json(folder / CONFIG, _verified(folder, CONFIG, hashes))
    weights = _verified(folder, WEIGHTS, hashes)
    _verified(folder, METRICS, hashes)
    try:
        parts = select(Parts, config)
    except ConfigError as error:
        raise BundleError(f"{folder / CONFIG} is not that of a bundle: {error}") from error
    for i in range(parts.num_members):
        _verified(folder, f"members/{i}/{MANIFEST}", hashes)
    sources = [_verified(folder, code_file(i), hashes) for i in range(len(parts.code))]
    return Verified(
        folder=folder,
        config=config,
        parts=parts,
        weights=weights,
        sources=tuple(source.decode("utf-8", errors="replace") for source in sources),
        facts=Facts.from_manifest(manifest, str(folder / MANIFEST)),
    )


def listed_files(bundle: Path, prefix: str = "", depth: int = 0) -> Iterator[str]:
    """Yield every file that the manifests of a bundle and its members list, held against its hash.

    Raises:
        BundleError: one is missing or differs, or members lie too deep.
    """
    if depth > MAX_DEPTH:
        raise BundleError(f"{bundle} lies more than {MAX_DEPTH} members deep, which no bundle does")
    opened = read_bundle(bundle)
    yield from (prefix + name for name in opened.listed)
    for i in range(opened.parts.num_members):
        yield from listed_files(bundle / "members" / str(i), f"{prefix}members/{i}/", depth + 1)


def select(cls: type[T], config: Mapping[str, object]) -> T:
    """Build the dataclass ``cls`` from those keys of a bundle's config that it knows.

    Raises:
        ConfigError: one is missing, of the wrong type or out of range.
    """
    names = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    return build(cls, {name: value for name, value in config.items() if name in names})


def mapping(value: object) -> Mapping[str, object]:
    """Parse a key whose own keys another check knows, for ``schema.key``."""
    if not isinstance(value, Mapping):
        raise ValueError("keys and values")
    return value


def code_file(index: int) -> str:
    """Return where a bundle has the code of entry ``index``."""
    return f"code/{index}.py"


def sha256(content: bytes) -> str:
    """Return the hash under which a manifest lists a file."""
    return hashlib.sha256(content).hexdigest()


def _verified(folder: Path, name: str, hashes: Mapping[str, object]) -> bytes:
    content = _bytes(folder, name)
    if sha256(content) != hashes.get(name):
        raise BundleError(f"{folder / name} differs from its hash in the manifest; it is damaged or was edited")
    return content


def _bytes(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        for part in (path, *(folder / above for above in Path(name).parents if above.name)):
            if part.is_symlink():
                raise BundleError(f"{part} is a link; a bundle holds its files itself, copy it with what it links to")
        if not path.is_file():
            state = "is no plain file" if path.exists() else "is missing"
            remedy = f"{folder} is no bundle" if name == MANIFEST else "copy the bundle again"
            raise BundleError(f"{path} {state}; {remedy}")
        size, most = path.stat().st_size, _MAX_BYTES.get(name, _MAX_TEXT)
        if size > most:
            raise BundleError(f"{path} has {size} bytes, more than the {most} that a bundle may have there")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # the latter: a name with a null character
        raise BundleError(f"{path} cannot be read: {error}") from error


def _json(path: Path, content: bytes) -> dict[str, object]:
    try:
        data = strict_json.loads(content)
    except ValueError as error:
        raise BundleError(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise BundleError(f"{path} must hold a JSON object, not {type(data).__name__}")
    return data
