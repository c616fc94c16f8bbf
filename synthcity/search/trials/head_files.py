"""Checkpoints of a cluster's workers, written by the search's own machine.

Ray Tune lets each worker write its checkpoints itself, into a folder that another machine does not have, or a bucket
whose keys it would need. Where the search runs on a cluster elsewhere, a worker hands its bytes to an actor on the
search's machine instead, which alone writes, below one folder; from there the run is pushed to its vault. What travels
names the actor, the folder and the machine, and holds no key.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import ray
from pyarrow.fs import FileInfo, FileSelector, FileSystemHandler, FileType, PyFileSystem
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from synthcity.files import atomic_write, make_folder


class Found(NamedTuple):
    """A file or folder; ``size`` is None for a folder, and -1 where there is nothing."""

    path: str
    size: int | None


class Files:
    """Files below one folder; whoever names another place is refused."""

    def __init__(self, root: str) -> None:
        self._root = Path(root).resolve()
        self.num_written = 0

    def write(self, path: str, content: bytes) -> None:
        """Write a whole file."""
        atomic_write(self._place(path), content)
        self.num_written += 1

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        return self._place(path).read_bytes()

    def make(self, path: str) -> None:
        """Make a folder."""
        make_folder(self._place(path))

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        place = self._place(path)
        shutil.rmtree(place) if place.is_dir() else place.unlink()

    def look(self, paths: Sequence[str]) -> list[Found]:
        """Return what lies at ``paths``."""
        return [_found(self._place(path), path) for path in paths]

    def list(self, path: str, recursive: bool) -> list[Found]:
        """Return what lies in a folder."""
        place = self._place(path)
        if not place.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        inside = sorted(place.rglob("*") if recursive else place.iterdir())
        return [_found(each, str(each)) for each in inside]

    def call(self, name: str, *arguments: object) -> tuple[object, int, str]:
        """Return what the method ``name`` returns, and number and text of an error of the system; 0 for none."""
        method: Callable[..., object] = getattr(self, name)
        try:
            return method(*arguments), 0, ""
        except OSError as error:
            return None, error.errno or errno.EIO, error.strerror or str(error)

    def written(self) -> int:
        """Return how many files were written."""
        return self.num_written

    def _place(self, path: str) -> Path:
        place = Path(path).resolve()
        if not place.is_relative_to(self._root):
            raise PermissionError(errno.EPERM, "lies outside the folder of the search", path)
        return place


def _found(place: Path, path: str) -> Found:
    if place.is_dir():
        return Found(path, None)
    return Found(path, place.stat().st_size if place.exists() else -1)


class HeadHandler(FileSystemHandler):  # type: ignore[misc]
    """The same files for pyarrow, and so for Tune, on every node; plain data when it travels."""

    def __init__(self, root: str, actor: str, node: str) -> None:
        """Args: ``actor`` is the name of the one that writes, ``node`` the id of its machine."""
        self._root, self._actor, self._node = root, actor, node

    def __reduce__(self) -> tuple[object, ...]:
        return HeadHandler, (self._root, self._actor, self._node)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HeadHandler) and self.__reduce__() == other.__reduce__()

    def __hash__(self) -> int:
        return hash(self.__reduce__())

    def _ask(self, name: str, *arguments: object) -> Any:
        if ray.get_runtime_context().get_node_id() == self._node:
            result, code, text = Files(self._root).call(name, *arguments)
        else:
            actor = ray.get_actor(self._actor)
            result, code, text = ray.get(actor.call.remote(name, *arguments))
        if code:
            raise OSError(code, text, str(arguments[0]))
        return result

    def get_type_name(self) -> str:
        """Return its name."""
        return "head"

    def normalize_path(self, path: str) -> str:
        """Return the path as it is."""
        return path

    def get_file_info(self, paths: Sequence[str]) -> list[FileInfo]:
        """Return what lies at ``paths``."""
        return [_info(*found) for found in self._ask("look", list(paths))]

    def get_file_info_selector(self, selector: FileSelector) -> list[FileInfo]:
        """Return what lies in a folder."""
        try:
            return [_info(*found) for found in self._ask("list", selector.base_dir, selector.recursive)]
        except FileNotFoundError:
            if selector.allow_not_found:
                return []
            raise

    def create_dir(self, path: str, recursive: bool) -> None:
        """Make a folder and those above it."""
        self._ask("make", path)

    def delete_dir(self, path: str) -> None:
        """Remove a folder with all that is in it."""
        self._ask("remove", path)

    def delete_dir_contents(self, path: str, missing_dir_ok: bool = False) -> None:
        """Empty a folder."""
        for found in self._ask("list", path, False):
            self._ask("remove", found[0])

    def delete_root_dir_contents(self) -> None:
        """Refuse."""
        raise PermissionError(errno.EPERM, "nobody empties the root")

    def delete_file(self, path: str) -> None:
        """Remove a file."""
        self._ask("remove", path)

    def move(self, src: str, dest: str) -> None:
        """Move a file."""
        self.copy_file(src, dest)
        self._ask("remove", src)

    def copy_file(self, src: str, dest: str) -> None:
        """Copy a file."""
        self._ask("write", dest, self._ask("read", src))

    def open_input_stream(self, path: str) -> pa.NativeFile:
        """Open a file for reading."""
        return pa.BufferReader(self._ask("read", path))

    def open_input_file(self, path: str) -> pa.NativeFile:
        """Open a file for reading anywhere in it."""
        return self.open_input_stream(path)

    def open_output_stream(self, path: str, metadata: object) -> pa.NativeFile:
        """Open a file that is written as a whole when it is closed."""
        return pa.PythonFile(_Whole(lambda content: self._ask("write", path, content)), mode="w")

    def open_append_stream(self, path: str, metadata: object) -> pa.NativeFile:
        """Refuse: nothing here grows."""
        raise NotImplementedError("checkpoints are written as a whole")


class _Whole(io.BytesIO):
    """Hands on what was written to it once it is closed."""

    def __init__(self, hand_on: Callable[[bytes], object]) -> None:
        super().__init__()
        self._hand_on = hand_on

    def close(self) -> None:
        if not self.closed:
            self._hand_on(self.getvalue())
        super().close()


def _info(path: str, size: int | None) -> FileInfo:
    if size is None:
        return FileInfo(path, FileType.Directory)
    return FileInfo(path, FileType.NotFound) if size < 0 else FileInfo(path, FileType.File, size=size)


@contextlib.contextmanager
def head_files(root: str, *, node: str | None = None) -> Iterator[PyFileSystem]:
    """Yield a file system of ``root`` on this machine for all nodes of the cluster; then its actor is ended.

    Args:
        root: a folder.
        node: the id of the machine that reads and writes without the actor; this one by default.
    """
    here = ray.get_runtime_context().get_node_id()
    name = f"synthcity-files-{secrets.token_hex(8)}"
    pinned = NodeAffinitySchedulingStrategy(here, soft=False)
    actor: Any = ray.remote(Files).options(name=name, num_cpus=0, scheduling_strategy=pinned).remote(root)
    try:
        yield PyFileSystem(HeadHandler(root, name, here if node is None else node))
    finally:
        with contextlib.suppress(ray.exceptions.RayError):  # lost with all the rest
            ray.kill(actor)
