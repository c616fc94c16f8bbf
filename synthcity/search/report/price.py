"""What a run cost, and what a proven lead of a tenth of a percent cost: money and GPU hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from synthcity.search.finals.verdict import LeadTable, Verdict
from synthcity.search.journal.record import TrialRecord
from synthcity.search.journal.sessions import Cost

_TENTH = 0.1  # percent


class PriceTold(TypedDict):
    """Money in USD: of rented machines, and with language models in all; ``is_rented``: a machine told a price.

    ``is_ledger``: what machines cost is what the cluster's ledger says, boot and idle time included. ``trial_usd`` and
    ``trial_gpu_hours`` are the part in which trials trained, of ``num_trials``; reports of before have none. What is
    "per tenth" is for every tenth of a percent of the lead over the best baseline, None where none is proven.
    """

    is_ledger: NotRequired[bool]
    num_trials: NotRequired[int]
    trial_usd: NotRequired[float]
    trial_gpu_hours: NotRequired[float]
    machine_usd: float
    usd: float
    gpu_hours: float
    is_rented: bool
    usd_per_tenth: float | None
    gpu_hours_per_tenth: float | None


def price(
    cost: Cost, model_usd: float, trials: Sequence[TrialRecord], verdict: Verdict, leads: Mapping[str, LeadTable]
) -> PriceTold:
    """Return what a run cost by its machines' ``cost`` and what was paid to language models."""
    usd = cost.usd + model_usd
    lead = leads.get(verdict["best_baseline"])
    tenths = -lead["mean"] / _TENTH if lead is not None and verdict["proven"] else 0.0
    return PriceTold(
        is_ledger=cost.is_ledger,
        num_trials=len(trials),
        trial_usd=sum(one.usd for one in trials),
        trial_gpu_hours=sum(one.gpu_hours for one in trials),
        machine_usd=cost.usd,
        usd=usd,
        gpu_hours=cost.gpu_hours,
        is_rented=cost.usd > 0,
        usd_per_tenth=usd / tenths if tenths > 0 else None,
        gpu_hours_per_tenth=cost.gpu_hours / tenths if tenths > 0 else None,
    )


def price_line(told: PriceTold) -> str:
    """Say it in a line; empty where nothing was paid and no GPU had."""
    parts = [_hours(told)] if told["gpu_hours"] else []
    parts += [_money(told)] if told["usd"] else []
    if told["usd_per_tenth"] is not None:
        each = [f"{told['usd_per_tenth']:.2f} USD"] if told["usd"] else []
        each += [f"{told['gpu_hours_per_tenth']:.2f} GPU hours"] if told["gpu_hours"] else []
        parts += [f"{' and '.join(each)} for each proven tenth of a percent"] if each else []
    return "; ".join(parts)


def _hours(told: PriceTold) -> str:
    text = f"{told['gpu_hours']:.1f} GPU hours"
    if trials := told.get("num_trials"):
        text += (
            f", {told.get('trial_gpu_hours', 0.0):.1f} while trials trained, {told['gpu_hours'] / trials:.2f} a trial"
        )
    return text


def _money(told: PriceTold) -> str:
    text = f"{told['usd']:.2f} USD"
    if not told["is_rented"]:
        return f"{text} for language models"
    if told.get("is_ledger"):
        text += f", {told['machine_usd']:.2f} of it for machines by the cluster's ledger, which boot and idle, too"
    if trials := told.get("num_trials"):
        text += f", {told.get('trial_usd', 0.0):.2f} while trials trained; {told['machine_usd'] / trials:.3f} a trial"
    return text
