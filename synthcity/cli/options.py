"""Values of options that several commands read: durations, and files and folders under ``~``."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synthcity.durations import parse_duration, write_duration
from synthcity.files import obstacle

if TYPE_CHECKING:
    _Seconds = click.ParamType[float]
else:  # before click 8.4 it takes no type
    _Seconds = click.ParamType


class Duration(_Seconds):
    """A length of time with its unit, such as 11h, 97min or 1h30m; becomes seconds between ``low`` and ``high``."""

    name = "duration"

    def __init__(self, low: float = 0.0, high: float = float("inf"), *, whole: bool = False) -> None:
        self._low, self._high, self._whole = low, high, whole

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return whole seconds as an int where ``whole``."""
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            self.fail(f"{value!r} must be {error}", param, ctx)
        if not self._low <= seconds <= self._high:
            bound = f"at least {write_duration(self._low)}"
            bound += "" if self._high == float("inf") else f" and at most {write_duration(self._high)}"
            self.fail(f"{value!r} must be {bound}", param, ctx)
        if self._whole and seconds != int(seconds):
            self.fail(f"{value!r} must be whole seconds", param, ctx)
        return int(seconds) if self._whole else seconds


class Finite(click.FloatRange):
    """A number in a range; ``nan``, which lies in every range of click's, is refused."""

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Convert as click does."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


class LocalPath(click.Path):
    """A file or folder; ``~`` is the user's home, where the shell left it alone (``--data=~/prices``)."""

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Expand, then check as click does."""
        if isinstance(value, str) and (not value.strip() or "\0" in value):
            self.fail(f"{value!r} is no name of a file or folder", param, ctx)
        return super().convert(os.path.expanduser(value) if isinstance(value, str) else value, param, ctx)


class Output(LocalPath):
    """A file, or a folder that may be made, that is written to in the end; whether it can be is tried at once."""

    def __init__(self, *, is_folder: bool = False, path_type: type[str] | type[Path] = Path) -> None:
        super().__init__(path_type=path_type, dir_okay=is_folder, file_okay=not is_folder)

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Expand and try; ``-`` is standard output, and whoever serves an address knows whether it can be written."""
        path = super().convert(value, param, ctx)
        is_ours = str(path) != "-" and "://" not in str(path)
        problem = obstacle(Path(path), is_folder=self.dir_okay) if is_ours else None
        if problem is not None:
            self.fail(f"{problem} (nothing was started)", param, ctx)
        return path
