from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.market.periods import Periods
from synthcity.pipeline.config import Sweep, load_pipeline
from synthcity.pipeline.events import Failed, Planned, Searched
from synthcity.pipeline.state import Round, State
from synthcity.pipeline.steps.rule import Plan, changed_arm, fingerprint, planned, rule, temperature_of
from synthcity.pipeline.steps.unseen import unseen_periods
from tests.pipeline.standin import START, began, periods_of

ROOT = Path(__file__).parents[3]
FAILED = Failed(round=1, attempt=1, reason="too slow to reach a first rung")


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    return load_pipeline(ROOT / "configs" / "quickstart-pipeline.yaml").sweeps["crypto-24h"]


def round_of(*failed: Failed, number: int = 2) -> Round:
    return Round(began=began(number, periods=periods_of(20)), time=0.0, failed=failed)


def test_each_attempt_is_warmer_and_never_above_one() -> None:
    assert [temperature_of(0.1, attempt) for attempt in (1, 2, 10, 20)] == [0.1, 0.2, 1.0, 1.0]


def test_a_plan_begins_with_the_best_of_rounds_whose_prices_lie_behind(sweep: Sweep) -> None:
    searched = Searched(round=1, attempt=1, run="round-0001-1", sentence="")
    before = unseen_periods(START, START + 330 * DAY, None, DAY)
    assert isinstance(before, Periods)
    for periods, told in ((before, True), (periods_of(60), False)):
        state = State(rounds=(Round(began=began(1, periods=periods), time=0.0, searched=searched),))
        found = rule(sweep, state, round_of(), 0.1)
        assert ("search.earlier=[round-0001-1]" in found.settings) is told


def test_what_failed_is_tried_smaller_and_says_why(sweep: Sweep) -> None:
    plan = rule(sweep, State(), round_of(FAILED), 0.2)
    assert f"search.max_steps={sweep.config.search.max_steps // 2}" in plan.settings
    assert "too slow to reach a first rung" in plan.reason
    assert any(one.startswith("search.arms.random.share=0.2") for one in plan.settings)


def test_the_fingerprint_is_of_what_a_plan_means(sweep: Sweep) -> None:
    one = fingerprint(sweep, ["search.max_steps=200", "search.seed=1"])
    assert one == fingerprint(sweep, ["search.seed=2", "search.max_steps=0200"])
    assert one != fingerprint(sweep, ["search.max_steps=201"])
    with pytest.raises(ConfigError, match=r"search\.trails"):
        fingerprint(sweep, ["search.trails=3"])


def test_a_plan_that_was_tried_is_a_stall_and_another_arm_the_way_out(sweep: Sweep) -> None:
    plan, found = Plan(settings=("search.seed=1",), reason="again"), round_of(FAILED)
    first = planned(sweep, State(), found, plan, 0.2)
    assert isinstance(first, Planned)
    tried = replace(found, planned=(first,))
    assert planned(sweep, State(), tried, replace(plan, settings=("search.seed=2",)), 0.2) is None
    other = changed_arm(sweep, plan, 2)
    assert "leads" in other.reason
    assert planned(sweep, State(), tried, other, 0.2) is not None
