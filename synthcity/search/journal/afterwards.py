"""What is told of a run that is over."""

from __future__ import annotations

from typing import Literal

from synthcity.search.journal.parts import Told


class Sealed(Told):
    """The report is written: ``files`` of the run folder by sha256, and a digest of all events before this one."""

    kind: Literal["sealed"]
    files: dict[str, str]
    journal: str


class Published(Told):
    """What was proven is elsewhere, and was found there whole; ``where`` is a repository or a store."""

    kind: Literal["published"]
    to: Literal["hub", "hippius"]
    where: str
    commit: str  # or the key of what was stored
    bundle: str  # sha256 of its manifest
    public: bool
