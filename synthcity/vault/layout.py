"""Where things lie in a vault.

::

    runs/<id>/index.json          what was pushed, with the hash of each file; written last, so that what has none is
                                  not there yet
    runs/<id>/journal.jsonl ...   the files
    bundles/<id>/..., prices/<id>/...
    catalogue/<id>.json           what the indexes of runs tell, for lists: the newest few

Nothing is ever replaced. An id has the form of a ULID: ten characters of the time at which it was pushed, so that ids
sort by it, and sixteen that tell a run (bundle, store) from others and stay the same whenever it is pushed again. A
character that not all vaults take is written as ``=`` and two hexadecimal digits a byte.
"""

from __future__ import annotations

import hashlib
import re
import time
from typing import Literal

Kind = Literal["run", "bundle", "prices"]
FOLDERS: dict[Kind, str] = {"run": "runs", "bundle": "bundles", "prices": "prices"}
INDEX = "index.json"
CATALOGUE = "catalogue"
MAX_KEY = 900  # bytes; buckets take 1024 with the prefix

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ID = re.compile(rf"[0-7][{_ALPHABET}]{{25}}")
_TIME = 10  # characters
_KEY = re.compile(r"(?:[A-Za-z0-9_=-][A-Za-z0-9._=-]*/)*(?:[A-Za-z0-9_=-][A-Za-z0-9._=-]*)?")
_ODD = re.compile(rb"[^A-Za-z0-9._/-]|(?:(?<=/)|^)\.")


def checked(key: str) -> str:
    """Return ``key``, or the name of a folder, if a vault takes it.

    Raises:
        ValueError: it leaves the vault, is too long, or holds a character that not all vaults take.
    """
    if not _KEY.fullmatch(key) or len(key) > MAX_KEY:
        raise ValueError(f"a key is made of A-Z, a-z, 0-9 and . _ = - between slashes, got {key!r}")
    return key


def new_id(identity: bytes, *, after: str = "") -> str:
    """Return the id of what is pushed now.

    Args:
        identity: what tells the run, bundle or store from all others.
        after: the id of its last push, which the new one sorts after, wherever a clock went meanwhile.
    """
    milliseconds = int(1000 * time.time())
    if after:
        milliseconds = max(milliseconds, 1 + sum(32**at * _ALPHABET.index(c) for at, c in enumerate(after[9::-1])))
    return _base32(milliseconds, _TIME) + identified(identity)


def identified(identity: bytes) -> str:
    """Return the part of an id that stays the same whenever the same is pushed again."""
    return _base32(int.from_bytes(hashlib.sha256(identity).digest()[:10], "big"), 16)


def is_id(text: str) -> bool:
    """Whether ``text`` has the form of an id."""
    return _ID.fullmatch(text) is not None


def identity_of(entry: str) -> str:
    """Return what the ids of one run have in common."""
    return entry[_TIME:]


def index_key(kind: Kind, entry: str) -> str:
    """Return the key of an index."""
    return f"{FOLDERS[kind]}/{entry}/{INDEX}"


def catalogue_key(catalogue: str) -> str:
    """Return the key of a catalogue."""
    return f"{CATALOGUE}/{catalogue}.json"


def file_key(kind: Kind, entry: str, path: str) -> str:
    """Return the key of the file ``path``, which is relative and made of slashes."""
    return checked(f"{FOLDERS[kind]}/{entry}/{_escaped(path)}")


def _escaped(path: str) -> str:
    odd = _ODD.sub(lambda match: b"".join(b"=%02X" % byte for byte in match[0]), path.encode())
    return odd.decode("ascii")


def _base32(number: int, length: int) -> str:
    return "".join(_ALPHABET[number >> 5 * (length - 1 - at) & 31] for at in range(length))
