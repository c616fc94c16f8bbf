from __future__ import annotations

from synthcity.agents.config import CapsConfig
from synthcity.search.config import ArmConfig, BudgetConfig
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.budget_card import budget_card
from tests.search.builders import candidate, history, tell

ARMS = {"tpe": ArmConfig(share=0.6), "llm.refine": ArmConfig(share=0.4)}
CAPS = CapsConfig(usd_per_run=2.0)


def test_it_says_what_is_left_and_who_has_which_part() -> None:
    budget = BudgetConfig(trials=10, arms=ARMS, trial_time=300.0, max_steps=500, llm_ceiling=0.3)
    known = history(
        tell(candidate(0, "defaults"), 5000.0),
        tell(candidate(1, "tpe"), 4990.0),
        tell(candidate(2, "tpe"), 5010.0),
        tell(candidate(3, "tpe"), status="running"),
        tell(candidate(4, "llm.refine"), 4980.0),
        [{"kind": "arm_state", "time": 0.0, "source": "llm.refine", "state": "resting", "reason": "busy"}],
    )
    assert budget_card(budget, known, caps=CAPS, usd=0.123, seconds=754.0, workers=2).splitlines() == [
        "Trials: 5 of 10 are left, 1 are waiting or in training; 2 train at once.",
        "Time: 12:00 is left for trials.",
        "A trial: up to 500 steps in 5:00, at most 5,000,000 parameters.",
        "Halving: a trial is validated after each of 4 rungs of 125 steps. One that is not among the best 1/3 of all "
        "at rung 1 or 3 is stopped there, and its score is of no more: compare it with what others had at that rung.",
        "Money: 0.12 of 2.00 USD for language models are spent.",
        "Parts of the trials so far: tpe 75% (mean reward 0.40), llm.refine 25% (mean reward 0.90) (resting); "
        "language models have at most 30%. A better rank earns a greater part.",
    ]


def test_what_does_not_bound_a_search_is_left_out() -> None:
    card = budget_card(BudgetConfig(trials=3, deterministic=True), TrialHistory(), caps=CapsConfig(usd_per_run=None))
    assert card.splitlines() == [
        "Trials: 3 of 3 are left, 0 are waiting or in training.",
        "A trial: up to 1500 steps, at most 5,000,000 parameters.",
    ]


def test_where_the_steps_are_varied_a_rung_may_be_shorter() -> None:
    budget = BudgetConfig(arms=ARMS, recipe=("steps",))
    assert "of 4 rungs of up to 375 steps" in budget_card(budget, TrialHistory(), caps=CAPS)


def test_nothing_is_less_than_nothing_left() -> None:
    known = history(tell(candidate(0), 5000.0), tell(candidate(1), 5000.0))
    card = budget_card(BudgetConfig(trials=1, arms=ARMS), known, caps=CAPS, seconds=-5.0)
    assert "0 of 1 are left" in card
    assert "Time: 0 s is left" in card
