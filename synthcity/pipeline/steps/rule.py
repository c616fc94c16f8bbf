"""The plan of a round where nobody is asked: what worked last is tried again, what failed gets a cure, in turns.

A plan is ``key=value`` over the sweep file, within the typed space of sweep files, so nothing can be planned that a
person could not write. Its fingerprint leaves out what every round has of its own (seed, earlier runs): two plans alike
in all else are one plan, and trying it twice on the same prices is a stall.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthcity.pipeline.config import Sweep
from synthcity.pipeline.events import Planned
from synthcity.pipeline.state import Round, State
from synthcity.search.config import parse_config

STEP = 0.1
_EARLIER = 3
_OWN = ("search.seed", "search.earlier")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to search with, over the sweep file, and why."""

    settings: tuple[str, ...]
    reason: str
    by: str = "rule"
    usd: float = 0.0


def temperature_of(first: float, attempt: int) -> float:
    """Return how far from what is known an attempt (from 1) may go: warmer each time, never above 1."""
    return min(1.0, round(first + STEP * (attempt - 1), 6))


def rule(sweep: Sweep, state: State, found: Round, temperature: float) -> Plan:
    """Plan an attempt from what came of those before."""
    number, attempt = found.began.round, len(found.failed) + 1
    settings = [f"search.seed={1000 * number + attempt}"]
    told = []
    if earlier := earlier_runs(state, found):
        settings.append(f"search.earlier=[{', '.join(earlier)}]")
        told.append(f"begins with the best of the last {len(earlier)} rounds")
    if attempt > 1:
        budget, size = sweep.config.search, 0.5 ** (attempt - 1)
        settings.append(f"search.max_steps={max(budget.rungs, int(budget.max_steps * size))}")
        settings.append(f"search.max_parameters={max(1, int(budget.max_parameters * size))}")
        told.append(f"smaller and shorter than attempt {attempt - 1}, which came to nothing: {found.failed[-1].reason}")
    settings += _arms(sweep, temperature)
    told.append(f"{temperature:.0%} of the proposals are drawn at random")
    return Plan(settings=tuple(settings), reason="; ".join(told))


def earlier_runs(state: State, found: Round) -> list[str]:
    """Return the runs of this competition that may teach this round, the newest first: all their prices lie behind."""
    own = [one for one in state.rounds if one.began.competition == found.began.competition and one.searched]
    fit = [one for one in own if one.began.periods.test.end <= found.began.periods.test.start]
    return [one.searched.run for one in reversed(fit) if one.searched][:_EARLIER]


def _arms(sweep: Sweep, temperature: float) -> list[str]:
    """Give random search a share of ``temperature`` where it is an arm beside others, and the others the rest."""
    arms = sweep.config.search.arms
    if "random" not in arms or len(arms) < 2:
        return []
    rest = {name: arm for name, arm in arms.items() if name != "random"}
    total = sum(arm.share for arm in rest.values())
    wanted = {name: (1 - temperature) * arm.share / total if total else 0.0 for name, arm in rest.items()}
    wanted["random"] = temperature
    held = {name: min(max(share, arms[name].floor), arms[name].ceiling) for name, share in wanted.items()}
    return [f"search.arms.{name}.share={share:.4f}" for name, share in held.items()]


def fingerprint(sweep: Sweep, settings: Sequence[str]) -> str:
    """Return one hash of what a plan searches with, whatever it was written like.

    Raises:
        ConfigError: a setting is outside the space of sweep files.
    """
    kept = [setting for setting in settings if setting.partition("=")[0].strip() not in _OWN]
    plain = parse_config(sweep.config.to_dict(), kept).to_dict()
    for name in ("name", "output", "vault", "track"):
        plain.pop(name)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def planned(sweep: Sweep, state: State, found: Round, plan: Plan, temperature: float) -> Planned | None:
    """Return the plan as it is journalled; None where this round has tried it already, in other words or the same."""
    mark = fingerprint(sweep, plan.settings)
    if any(one.fingerprint == mark for one in found.planned):
        return None
    return Planned(
        round=found.began.round,
        attempt=len(found.failed) + 1,
        by=plan.by,
        reason=plan.reason,
        settings=plan.settings,
        fingerprint=mark,
        temperature=temperature,
        usd=plan.usd,
    )


def changed_arm(sweep: Sweep, plan: Plan, attempt: int) -> Plan:
    """Return the plan with one arm in front of the others: the way out of a stall."""
    arms: Mapping[str, object] = sweep.config.search.arms
    if len(arms) < 2:
        return plan
    chosen = sorted(arms)[attempt % len(arms)]
    own = sweep.config.search.arms
    rest = sum(own[name].floor for name in own if name != chosen)
    shares = {name: own[name].floor for name in own} | {chosen: min(own[chosen].ceiling, 1 - rest)}
    kept = [one for one in plan.settings if not one.startswith("search.arms.")]
    settings = (*kept, *(f"search.arms.{name}.share={share:.4f}" for name, share in shares.items()))
    return Plan(settings=settings, reason=f"the same was tried before, so {chosen} leads: {plan.reason}", by=plan.by)
