"""What the indexes of many runs tell, in one object, so that a list asks a vault for few.

``catalogue/<id>.json`` is made of indexes, by whoever pushes, and is worth nothing without them: a list takes from it
what it tells of ids that are there, and reads the indexes of all others. So a vault without one, with a damaged one or
with one that several wrote at once is listed as completely, by more requests. As everything it is never replaced: a
newer one has a newer id, and the oldest go.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from synthcity import strict_json
from synthcity.errors import ConfigError
from synthcity.schema import build, key, plain
from synthcity.vault.base import Absent, TooLarge, Vault, digest_of, write_whole
from synthcity.vault.entry import MAX_INDEX, RunFacts, parse_id, parse_name
from synthcity.vault.layout import CATALOGUE, catalogue_key, is_id, new_id
from synthcity.vault.pulling import Tell, pushes_of, read_entry, read_last

FORMAT = 1
MOST_MISSING = 6  # runs that a catalogue may lack: what a list asks for besides
_AT_ONCE = 64  # indexes that one push reads for it, so that it takes seconds in a vault of before there was any
_KEPT = 3  # the newest; a list may be reading the one before


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the index ``id`` tells of a run, without its files."""

    id: str = key(parse=parse_id)
    name: str = key(parse=parse_name)
    run: RunFacts


@dataclass(frozen=True, kw_only=True)
class _Catalogue:
    format: int
    runs: tuple[Told, ...]


def list_told(vault: Vault, tell: Tell) -> Iterator[Told]:
    """Yield the runs of a vault as ``list_runs`` does, by few requests where there is a catalogue.

    Raises:
        VaultError: the vault does not answer.
    """
    return _told(vault, pushes_of(vault, "run"), _known(vault, _names(vault)), tell)


def keep_catalogue(vault: Vault) -> None:
    """Write a new catalogue once the newest lacks ``MOST_MISSING`` runs, and remove the oldest.

    Raises:
        VaultError: the vault does not answer.
    """
    names, pushes = _names(vault), pushes_of(vault, "run")
    known = _known(vault, names)
    missing = [ids[0] for ids in pushes if ids[0] not in known]
    if len(missing) < MOST_MISSING:
        return
    later = set(missing[_AT_ONCE:])
    rows = list(_told(vault, [ids for ids in pushes if ids[0] not in later], known, lambda problem: None))
    file = io.BytesIO(_to_bytes(rows))
    write_whole(vault, catalogue_key(new_id(b"catalogue", after=names[0] if names else "")), file, digest_of(file))
    for name in names[_KEPT - 1 :]:
        vault.delete(catalogue_key(name))


def _told(vault: Vault, pushes: Sequence[Sequence[str]], known: dict[str, Told], tell: Tell) -> Iterator[Told]:
    def read(id: str) -> Told:
        if id in known:
            return known[id]
        entry = read_entry(vault, "run", id)
        assert entry.run is not None
        return Told(id=id, name=entry.name, run=entry.run)

    return read_last(pushes, read, tell)


def _names(vault: Vault) -> list[str]:
    """Return the ids of the catalogues, the newest first."""
    names = (name.removesuffix(".json") for name in vault.list(CATALOGUE) if name.endswith(".json"))
    return sorted((name for name in names if is_id(name)), reverse=True)


def _known(vault: Vault, names: Sequence[str]) -> dict[str, Told]:
    """Return by its id what the newest catalogue that can be read tells of runs."""
    for name in names[:_KEPT]:
        with suppress(Absent, TooLarge, ValueError, ConfigError):
            data = strict_json.loads(vault.read(catalogue_key(name), most=MAX_INDEX))
            if isinstance(data, dict) and data.get("format") == FORMAT:
                return {told.id: told for told in build(_Catalogue, data).runs}
    return {}


def _to_bytes(rows: Sequence[Told]) -> bytes:
    """Return a catalogue of as many of the newest runs as it may hold."""
    size, texts = 100, []
    for row in rows:
        text = json.dumps(plain(row), allow_nan=False, separators=(",", ":"), ensure_ascii=False)
        size += len(text.encode()) + 1
        if size > MAX_INDEX:
            break
        texts.append(text)
    return f'{{"format":{FORMAT},"runs":[{",".join(texts)}]}}'.encode()
