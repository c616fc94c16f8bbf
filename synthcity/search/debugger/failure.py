"""A failure as the debugger reads it: what was raised, where, and whether it is the same as another one."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synthcity.nets.registry import component
from synthcity.search.candidates.candidate import Config

_FRAME = re.compile(r'File "([^"]*)", line \d+, in (.*)')
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_NUMBER = re.compile(r"0x[0-9a-f]+|\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)
_PRINT_FRAMES = 3  # that make a failure the same; deeper ones differ with the caller
_LINES = 30  # of a traceback that are shown


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Class, message and traceback of an exception."""

    kind: str
    message: str
    traceback: str = ""

    @classmethod
    def of(cls, data: Mapping[str, object] | None) -> Failure:
        """Read what a trial's record holds as ``failure``."""
        data = data or {}
        return cls(
            kind=str(data.get("class") or "unknown"),
            message=_ANSI.sub("", str(data.get("message") or "")),
            traceback=_ANSI.sub("", str(data.get("traceback") or "")),
        )

    @property
    def text(self) -> str:
        """Class and message in one line."""
        return " ".join(f"{self.kind}: {self.message}".split())

    @property
    def fingerprint(self) -> str:
        """Hash of class, message without its numbers, and the functions it came through last: twelve hex digits."""
        frames = [(Path(file).name, function) for file, function in _FRAME.findall(self.traceback)]
        text = repr((self.kind, _NUMBER.sub("#", self.message), frames[-_PRINT_FRAMES:]))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def trimmed(self) -> str:
        """The end of the traceback, files by their last two folders."""
        lines = _FRAME.sub(lambda m: m[0].replace(m[1], "/".join(Path(m[1]).parts[-3:])), self.traceback).splitlines()
        return "\n".join([self.text, *lines[-_LINES:]])

    def culprits(self, config: Config) -> list[str]:
        """Return the parts of a candidate that the error names, as paths ("head", "blocks.1"), innermost first.

        A part is named by a frame in its file or by its class in the message.
        """
        files = [tuple(Path(file).parts[-2:]) for file, _ in _FRAME.findall(self.traceback)]
        found: list[tuple[int, str]] = []
        for path, kind, name in parts(config):
            entry = component(kind, name)
            cls, source = entry.cls, None if entry.code else inspect.getsourcefile(entry.cls)
            at = max((n for n, file in enumerate(files) if source and file == Path(source).parts[-2:]), default=-1)
            if re.search(rf"\b{cls.__name__}\b", self.message):
                at = len(files)
            if at >= 0:
                found.append((at, path))
        return [path for _, path in sorted(found, key=lambda item: -item[0])]


def parts(config: Config) -> list[tuple[str, str, str]]:
    """Return (path, kind, name) of every block, then the head."""
    blocks = [(f"blocks.{index}", "block", block["name"]) for index, block in enumerate(config["blocks"])]
    return [*blocks, ("head", "head", config["head"]["name"])]
