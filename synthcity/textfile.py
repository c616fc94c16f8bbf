"""Files that people write by hand, read as text whatever their editor made of them."""

from __future__ import annotations

import codecs
import stat
from pathlib import Path

from synthcity.errors import ConfigError

MOST_BYTES = 2**20
# UTF-32 goes first: in its little-endian form it begins with the mark of UTF-16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_text(path: Path | str, what: str) -> str:
    """Read a text file: UTF-8, or UTF-16 and UTF-32 where a byte order mark says so; the mark is left out.

    Args:
        path: of the file.
        what: what it is, for the errors: "the sweep file".

    Raises:
        ConfigError: it is not there, no file, longer than ``MOST_BYTES``, binary, or in another encoding.
    """
    path, named = Path(path), f"{what} {str(path)!r}"
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ConfigError(f"cannot read {named}: it is a folder; name a file")
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"cannot read {named}: it is a pipe or a device; name a file")
        if status.st_size > MOST_BYTES:
            raise ConfigError(
                f"cannot read {named}: it has {status.st_size:,} bytes, more than the {MOST_BYTES:,} that such a file "
                "may have; is it another file?"
            )
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {named}: {error.strerror or error}") from error
    except ValueError as error:  # a zero byte in the name
        raise ConfigError(f"cannot read {named}: {error}") from error
    return decoded(data, named)


def decoded(data: bytes, named: str) -> str:
    """Decode the bytes of a text file, which errors call ``named``; raises as ``read_text``."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    data = data[len(mark) :]
    if encoding == "utf-8" and b"\0" in data:
        raise ConfigError(f"cannot read {named}: it is binary, or in an encoding without a mark; save it as UTF-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"cannot read {named}: line {line} is not {encoding[:6].rstrip('-').upper()}; save it as UTF-8"
        ) from None
