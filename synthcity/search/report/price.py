"""What a run cost, and what a proven lead of a tenth of a percent cost: money and GPU hours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from synthcity.search.finals.verdict import LeadTable, Verdict
from synthcity.search.journal.sessions import Cost

_TENTH = 0.1  # percent


class PriceTold(TypedDict):
    """Money in USD: of rented machines, and with language models in all; ``is_rented``: a machine told a price.

    What is "per tenth" is for every tenth of a percent of the lead over the best baseline, None where none is proven.
    """

    machine_usd: float
    usd: float
    gpu_hours: float
    is_rented: bool
    usd_per_tenth: float | None
    gpu_hours_per_tenth: float | None


def price(cost: Cost, model_usd: float, verdict: Verdict, leads: Mapping[str, LeadTable]) -> PriceTold:
    """Return what a run cost by its machines' ``cost`` and what was paid to language models."""
    usd = cost.usd + model_usd
    lead = leads.get(verdict["best_baseline"])
    tenths = -lead["mean"] / _TENTH if lead is not None and verdict["proven"] else 0.0
    return PriceTold(
        machine_usd=cost.usd,
        usd=usd,
        gpu_hours=cost.gpu_hours,
        is_rented=cost.usd > 0,
        usd_per_tenth=usd / tenths if tenths > 0 else None,
        gpu_hours_per_tenth=cost.gpu_hours / tenths if tenths > 0 else None,
    )


def price_line(told: PriceTold) -> str:
    """Say it in a line."""
    parts = [f"{told['gpu_hours']:.1f} GPU hours"] if told["gpu_hours"] else []
    parts.append(f"{told['usd']:.2f} USD" + ("" if told["is_rented"] else ", own machines at 0 USD"))
    if told["usd_per_tenth"] is not None:
        each = [f"{told['usd_per_tenth']:.2f} USD"] if told["usd"] else []
        each += [f"{told['gpu_hours_per_tenth']:.2f} GPU hours"] if told["gpu_hours"] else []
        parts += [f"{' and '.join(each)} for each proven tenth of a percent"] if each else []
    return "; ".join(parts)
