"""What a cluster's nodes run on, wherever it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine that there is, or may be.

    Attributes:
        name: unique for ever.
        kind: of node, as the cluster file names it.
        request: what the autoscaler called the request that it came from; empty where nobody knows any more.
        address: of its node.
        is_up: whether it runs; its node may still have to join.
    """

    name: str
    kind: str
    request: str
    address: str
    is_up: bool


class Machines(Protocol):
    """Asks for machines and ends them. Use from any thread; nothing here waits for a machine."""

    def all(self) -> Sequence[Machine]:
        """Return every machine that there is or may be, from the moment that it is asked for until it is gone."""

    def ask(self, kind: str, request: str) -> None:
        """Ask for one of a kind.

        Raises:
            SynthcityError: there will be none.
        """

    def stop(self, name: str) -> None:
        """See that a machine goes; one that is gone is no mistake."""
