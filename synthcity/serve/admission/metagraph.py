"""Who is registered on the subnet: a snapshot of the chain in a file, and the reader that follows it.

Whoever talks to the chain writes the file; whoever answers validators reads it. So the chain's library, which
silences every logger of the process that imports it, lives in a process of its own, and the last good snapshot
outlives it, an unreachable chain and a restart.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from synthcity.errors import ConfigError, DataError
from synthcity.files import PRIVATE, atomic_write
from synthcity.schema import build

_LOOK_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Neuron:
    """A registered hotkey: its stake on the subnet (alpha), whether it may validate, and the address it published.

    ``port`` is 0 where it is not known.
    """

    uid: int
    stake: float
    validator_permit: bool
    ip: str
    port: int = 0


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The subnet at one block, by hotkey (ss58); ``taken_at`` in unix seconds."""

    netuid: int
    block: int
    taken_at: float
    neurons: Mapping[str, Neuron]

    def write(self, path: Path | str) -> None:
        """Replace the file in one step.

        Raises:
            DataError: the disk refuses.
        """
        path = Path(path)
        text = json.dumps({**asdict(self), "neurons": {k: asdict(v) for k, v in self.neurons.items()}})
        try:
            atomic_write(path, text + "\n", mode=PRIVATE)
        except OSError as error:
            raise DataError(f"cannot write the snapshot {path} ({error.strerror})") from error

    @classmethod
    def read(cls, path: Path | str) -> Snapshot:
        """Read a file that ``write`` wrote.

        Raises:
            DataError: it is not there, damaged, or no snapshot.
        """
        try:
            data = json.loads(Path(path).read_bytes())
            found = build(cls, data, where="it")
        except FileNotFoundError:
            raise DataError(f"there is no snapshot {path} yet; start the process that reads the chain") from None
        except (OSError, ValueError, RecursionError, ConfigError) as error:
            raise DataError(f"{path} is no snapshot of the chain ({error})") from error
        return found


class Metagraph:
    """Follows the file of a snapshot. A damaged or missing file leaves the last good one in force."""

    def __init__(self, path: Path | str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = Path(path)
        self._monotonic = monotonic
        self._looked_at = -math.inf
        self._stamp: tuple[int, int, int] | None = None
        self._snapshot: Snapshot | None = None
        self.problem: str | None = None
        """Why the last look found no good file; None if it did."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The last good snapshot; None if there never was one."""
        if self._monotonic() - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = self._monotonic()
            self._look()
        return self._snapshot

    def _look(self) -> None:
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                self._snapshot = Snapshot.read(self._path)
                self._stamp = stamp
            self.problem = None
        except OSError as error:
            self.problem = f"cannot read {self._path} ({error.strerror})"
        except DataError as error:
            self.problem = str(error)
