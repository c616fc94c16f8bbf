"""What machines cost, as they tell it themselves: the price of one stands among the labels it joins a cluster with.

Whoever rents a machine starts its Ray with ``label(price)``; whoever uses it reads ``rate(labels)``. A machine without
such a label is somebody's own and costs nothing here. Money is in USD.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from synthcity.errors import DataError

LABEL = "synthcity/usd-per-hour"  # the form of a label's name in Ray and Kubernetes
_HOUR = 3600.0


def label(usd_per_hour: Decimal) -> dict[str, str]:
    """Return the label of a machine whose hour, with all its GPUs, costs so much."""
    return {LABEL: f"{usd_per_hour:f}"}


def rate(labels: Mapping[str, str]) -> float:
    """Return what an hour of the machine with these labels costs; 0 for one of somebody's own.

    Raises:
        DataError: the label is no price.
    """
    told = labels.get(LABEL, "0")
    if not told.replace(".", "", 1).isascii() or not told.replace(".", "", 1).isdigit():
        raise DataError(f"the label {LABEL} of a machine is {told!r}, which is no price; write it like 0.65")
    return float(told)


@dataclass(frozen=True, kw_only=True)
class Priced:
    """A machine of a cluster; ``usd_per_hour`` is for all of it."""

    cpus: float
    gpus: float = 0.0
    usd_per_hour: float = 0.0

    def usd(self, seconds: float, *, cpus: float, gpus: float) -> float:
        """Return what so many seconds of a part of it cost: of its GPUs where some are held, else of its CPUs."""
        held, whole = (gpus, self.gpus) if gpus and self.gpus else (cpus, self.cpus)
        return self.usd_per_hour * seconds / _HOUR * (min(1.0, held / whole) if whole else 1.0)
