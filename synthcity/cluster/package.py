"""What of a folder travels with a job, before it is submitted: Ray says little of what it left at home."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 100 << 20  # Ray's own limit
_NEAR = 0.9
_NAMED = 5  # files that are named where a package is large
_silent = logging.getLogger("synthcity.package.silent")
_silent.disabled = True


@dataclass(frozen=True, kw_only=True)
class Package:
    """Attributes:
    size: bytes of all files that travel, before they are packed.
    left: files and folders that do not travel, those directly below first; what lies in one of them is not named.
    largest: files that do, with their bytes, the largest first.
    """

    size: int
    left: tuple[str, ...]
    largest: tuple[tuple[str, int], ...]

    @property
    def is_large(self) -> bool:
        """Whether Ray may refuse it."""
        return self.size > _NEAR * MOST_BYTES


def survey(folder: Path) -> Package:
    """Look at a folder as `ray job submit --working-dir` does."""
    from ray._private import ray_constants
    from ray._private.runtime_env.packaging import _dir_travel, _get_excludes

    folder = folder.absolute()
    found: list[tuple[str, int]] = []
    seen = {folder}

    def meet(path: Path) -> None:
        if path.is_file():  # a folder travels empty where `data/` is ignored
            seen.update((path, *path.parents))
            found.append((str(path.relative_to(folder)), path.stat().st_size))

    excludes = [_get_excludes(folder, ray_constants.get_runtime_env_default_excludes())]
    _dir_travel(folder, excludes, meet, include_gitignore=True, logger=_silent)
    found.sort(key=lambda one: -one[1])
    inside = [path for one in seen if folder in (one, *one.parents) and one.is_dir() for path in one.iterdir()]
    left = [str(path.relative_to(folder)) for path in inside if path not in seen and path.name != "__pycache__"]
    left.sort(key=lambda name: (name.count("/"), name))
    return Package(size=sum(size for _, size in found), left=tuple(left), largest=tuple(found[:_NAMED]))
