"""What is left of a search and who has which part of it, in a few lines for a language model."""

from __future__ import annotations

from collections.abc import Iterable

from synthcity.agents.config import CapsConfig
from synthcity.search.arms import LLM, OPEN
from synthcity.search.config import BudgetConfig
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.arm_table import arm_rows
from synthcity.wording import duration


def budget_card(
    budget: BudgetConfig,
    history: TrialHistory,
    *,
    caps: CapsConfig,
    usd: float = 0.0,
    seconds: float | None = None,
    workers: int | None = None,
) -> str:
    """Return the card.

    Args:
        budget: of the search.
        history: so far.
        caps: of the language model.
        usd: what it has cost in this run.
        seconds: left for trials; None where no clock ends them.
        workers: trials that train at once, None where nobody trains.
    """
    return "\n".join(_lines(budget, history, caps, usd, seconds, workers))


def _lines(
    budget: BudgetConfig,
    history: TrialHistory,
    caps: CapsConfig,
    usd: float,
    seconds: float | None,
    workers: int | None,
) -> Iterable[str]:
    left = max(0, budget.trials - len(history.trials))
    begun = len(history.records) - len(history.finished)
    at_once = "" if workers is None else f"; {workers} train at once"
    yield f"Trials: {left} of {budget.trials} are left, {begun} are waiting or in training{at_once}."
    if seconds is not None:
        yield f"Time: {duration(60 * (max(0.0, seconds) // 60))} is left for trials."
    # what the gate holds, so that nothing is proposed in vain
    timed = "" if budget.max_step_seconds is None else f" in {duration(budget.trial_time or 0.0)}"
    yield f"A trial: up to {budget.max_steps} steps{timed}, at most {budget.max_parameters:,} parameters."
    if budget.milestones:
        most = "up to " if "steps" in budget.recipe else ""
        steps, rungs = budget.max_steps / budget.rungs, " or ".join(map(str, budget.milestones))
        yield (
            f"Halving: a trial is validated after each of {budget.rungs} rungs of {most}{steps:.0f} steps. One that is "
            f"not among the best 1/{budget.reduction:g} of all at rung {rungs} is stopped there, and its score is of "
            "no more: compare it with what others had at that rung."
        )
    if caps.usd_per_run is not None:
        yield f"Money: {usd:.2f} of {caps.usd_per_run:.2f} USD for language models are spent."
    arms = [
        f"{row['name']} {row['share']:.0%}"
        + ("" if row["reward"] is None else f" (mean reward {row['reward']:.2f})")
        + ("" if row["state"] == OPEN else f" ({row['state']})")
        for row in arm_rows(history, budget.arms)
    ]
    if arms and any(record.candidate.source in budget.arms for record in history.records):
        most = f"; language models have at most {budget.llm_ceiling:.0%}" if _asks(budget) else ""
        yield f"Parts of the trials so far: {', '.join(arms)}{most}. A better rank earns a greater part."


def _asks(budget: BudgetConfig) -> bool:
    return any(name.startswith(LLM) for name in budget.arms)
