"""The stand-in for the Hub: a repository in a folder of this machine, for rehearsals.

A commit is a folder of whole files, ``commits/<number>-<hash>``, put in its place in one step and never changed; its
title lies in ``titles/``. The folder says what it is in a file of its own, and whoever finds it finds that first.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from synthcity.errors import PublishError
from synthcity.files import atomic_folder, atomic_write
from synthcity.publish.remote import Head, Moved

MARK = "REHEARSAL"
_ABOUT = f"{MARK}: a stand-in for a repository. What lies here was found on simulated prices and is worth nothing.\n"
_TITLES, _COMMITS, _TITLE = "titles", "commits", ".txt"


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """One repository in ``folder``."""

    folder: Path

    @property
    def repo(self) -> str:
        """Its name, which nobody takes for one of the Hub's."""
        return f"{MARK}/{self.folder.name}"

    @property
    def endpoint(self) -> str:
        """Where it lies."""
        return self.folder.absolute().as_uri()

    @property
    def is_standin(self) -> bool:
        """It is one."""
        return True

    def check(self) -> None:
        """A folder asks for no token."""

    def create(self, *, private: bool) -> None:
        """Make the folder unless it is there."""
        self._write(self.folder / MARK, _ABOUT.encode())

    def head(self) -> Head:
        """Return the newest commit."""
        names = self._names()
        return Head(commit=names[-1] if names else None, private=True)

    def commit_of(self, mark: str) -> str | None:
        """Return the newest commit whose title has ``mark``, None where there is none."""
        for name in reversed(self._names()):
            if mark in (self.folder / _TITLES / f"{name}{_TITLE}").read_text(encoding="utf-8"):
                return name
        return None

    def sizes(self, commit: str) -> dict[str, int]:
        """Return the size of every file at a commit."""
        at = self._at(commit)
        return {path.relative_to(at).as_posix(): path.stat().st_size for path in at.rglob("*") if path.is_file()}

    def download(self, paths: Iterable[str], commit: str, to: Path) -> None:
        """Copy files at a commit into a folder, under their own paths."""
        at = self._at(commit)
        for name in paths:
            if not (at / name).is_file():
                raise PublishError(f"{self.repo} at commit {commit} has no {name}; put it back")
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(at / name, to / name)

    def commit(self, files: Mapping[str, Path | bytes], title: str, parent: str | None) -> str:
        """Make one commit on top of ``parent``.

        Raises:
            Moved: the newest commit is another one; nothing was written.
            PublishError: the disk refuses.
        """
        names = self._names()
        if (names[-1] if names else None) != parent:
            raise Moved(f"{self.repo} has moved on from {parent}")
        name = f"{len(names):06}-{hashlib.sha256(title.encode()).hexdigest()[:12]}"
        self._write(self.folder / _TITLES / f"{name}{_TITLE}", title.encode())  # before what it is the title of
        try:
            with atomic_folder(self.folder / _COMMITS / name) as draft:
                if parent is not None:
                    shutil.copytree(self._at(parent), draft, dirs_exist_ok=True)
                for path, content in files.items():
                    (draft / path).parent.mkdir(parents=True, exist_ok=True)
                    (draft / path).write_bytes(content if isinstance(content, bytes) else content.read_bytes())
        except OSError as error:
            raise PublishError(f"cannot write to {self.folder} ({error.strerror or error}); mend it") from error
        return name

    def sleep(self, seconds: float, /) -> None:
        """Wait."""
        time.sleep(seconds)

    def _names(self) -> list[str]:
        folder = self.folder / _COMMITS
        return sorted(path.name for path in folder.glob("[0-9]*")) if folder.is_dir() else []

    def _at(self, commit: str) -> Path:
        at = self.folder / _COMMITS / commit
        if not at.is_dir():
            raise PublishError(f"{self.repo} has no commit {commit}; put it back")
        return at

    def _write(self, path: Path, content: bytes) -> None:
        try:
            atomic_write(path, content)
        except OSError as error:
            raise PublishError(f"cannot write to {self.folder} ({error.strerror or error}); mend it") from error
