"""What is next, from events alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synthcity.pipeline.config import PipelineConfig
from synthcity.pipeline.events import (
    Crowned,
    Deployed,
    Ended,
    Event,
    Failed,
    Judged,
    Opened,
    Planned,
    Published,
    Researched,
    Resumed,
    Searched,
    Stopped,
    Told,
    Troubled,
    Waiting,
)
from synthcity.pipeline.state import State, Step, end_of, level_of, next_step, stop_reason
from tests.pipeline.standin import CONFIG, began

OPENED = Opened(competitions=("crypto-24h", "crypto-1h"))
PASSED = Judged(round=1, passed=True, reason="better", bundle="b")
SEARCHED = Searched(round=1, attempt=1, run="r", sentence="Proven.", usd=0.5, seconds=60.0)
PUBLISHED = Published(round=1, where="hub", commit="c", bundle="b")
DEPLOYED = Deployed(round=1, state="miner", folder="f", bundle="b")


def plan(attempt: int = 1) -> Planned:
    return Planned(round=1, attempt=attempt, by="rule", reason="", settings=(), fingerprint=str(attempt), usd=0.25)


RESEARCHED = Researched(round=1, sentence="nothing", seconds=7.0)


def failed(attempt: int = 1, *, looked: bool = False) -> Failed:
    return Failed(round=1, attempt=attempt, reason="nothing trained", looked=looked, seconds=5.0)


def state_of(*events: Event) -> State:
    return State.of(Told(event=event, time=float(at)) for at, event in enumerate((OPENED, *events)))


TRIED = Judged(round=1, passed=False, reason="it may race", bundle="b", on_trial=True)


def test_what_may_race_without_a_claim_is_offered_and_not_published() -> None:
    until = state_of(began(), plan(), SEARCHED, TRIED)
    assert next_step(until, CONFIG) is Step.DEPLOY
    assert next_step(until, replace(CONFIG, deploy=None)) is Step.END
    over = state_of(began(), plan(), SEARCHED, TRIED, DEPLOYED)
    assert next_step(over, CONFIG) is Step.END
    assert over.current is not None
    assert end_of(over.current) == Ended(round=1, outcome="on trial", reason="it may race")


@pytest.mark.parametrize(
    ("events", "step"),
    [
        ([], Step.BEGIN),
        ([began()], Step.PLAN),
        ([began(), plan()], Step.SEARCH),
        ([began(), plan(), failed()], Step.PLAN),
        ([began(), plan(), failed(looked=True)], Step.END),
        ([began(), plan(), failed(), plan(2)], Step.SEARCH),
        ([began(), plan(), SEARCHED], Step.CHECK),
        ([began(), plan(), SEARCHED, replace(PASSED, passed=False)], Step.END),
        ([began(), plan(), SEARCHED, PASSED], Step.PUBLISH),
        ([began(), plan(), SEARCHED, PASSED, PUBLISHED], Step.DEPLOY),
        ([began(), plan(), SEARCHED, PASSED, PUBLISHED, DEPLOYED], Step.END),
        ([began(), plan(), SEARCHED, PASSED, PUBLISHED, DEPLOYED, Ended(round=1, outcome="", reason="")], Step.BEGIN),
        ([began(), plan(), Troubled(step="search", reason="late", until=9.0)], Step.SEARCH),
        ([began(), plan(), Stopped(reason="SIGTERM"), Resumed()], Step.SEARCH),
    ],
)
def test_the_next_step_follows_from_the_events(events: list[Event], step: Step) -> None:
    assert next_step(state_of(*events), CONFIG) is step


def test_only_what_was_asked_for_is_published_and_deployed() -> None:
    state = state_of(began(), plan(), SEARCHED, PASSED)
    assert next_step(state, replace(CONFIG, publish=False)) is Step.DEPLOY
    assert next_step(state, replace(CONFIG, publish=False, deploy=None)) is Step.END


def test_attempts_end_with_the_retries() -> None:
    config = replace(CONFIG, retries=1)
    assert next_step(state_of(began(), plan(), failed()), config) is Step.PLAN
    state = state_of(began(), plan(), failed(), plan(2), failed(2))
    assert next_step(state, config) is Step.END
    assert state.current is not None
    assert end_of(state.current) == Ended(round=1, outcome="failed", reason="nothing trained")


def test_a_look_counts_where_the_test_period_was_seen_and_anew_for_each_champion() -> None:
    unseen = [began(), plan(), failed(), Ended(round=1, outcome="failed", reason="")]
    assert level_of(state_of(*unseen), "crypto-24h")[0] == 1
    assert state_of(*unseen).looked_until("crypto-24h") is None
    seen = [began(), plan(), SEARCHED, PASSED, Ended(round=1, outcome="proven", reason="")]
    state = state_of(*seen)
    assert state.looked_until("crypto-24h") == began().periods.test.end
    assert [level_of(state, name)[0] for name in ("crypto-24h", "crypto-1h")] == [2, 1]
    crowned = Crowned(competition="crypto-24h", folder="f", bundle="b", reason="it won")
    assert level_of(state_of(*seen, crowned), "crypto-24h") == level_of(state_of(), "crypto-24h")


def test_money_and_time_are_counted_and_bound_what_is_not_paid_for_yet() -> None:
    state = state_of(began(), plan(), failed(), plan(2), SEARCHED)
    assert (state.usd, state.seconds) == (1.0, 65.0)
    tight = replace(CONFIG, budget_usd=0.9, budget_time=60.0)
    assert stop_reason(state, tight) is None, "what is searched is brought to its end"
    over = state_of(began(), plan(), SEARCHED, PASSED, Ended(round=1, outcome="proven", reason=""))
    assert stop_reason(over, replace(CONFIG, budget_usd=0.7)) == "the budget of 0.7 USD is spent (0.75 USD)"
    assert "budget_time is 60 s" in str(stop_reason(over, replace(CONFIG, budget_time=60.0)))


def test_rounds_are_counted_over_all_processes() -> None:
    over = [began(), plan(), SEARCHED, PASSED, Ended(round=1, outcome="proven", reason=""), Resumed()]
    assert stop_reason(state_of(*over), replace(CONFIG, rounds=1)) == "1 rounds are done"
    assert stop_reason(state_of(*over), replace(CONFIG, rounds=None)) is None


def test_three_failed_rounds_in_a_row_stop_one_process() -> None:
    bad = [began(), plan(), failed(looked=True), Ended(round=1, outcome="failed", reason="")]
    config: PipelineConfig = replace(CONFIG, rounds=None)
    assert stop_reason(state_of(*bad, *bad), config) is None
    assert "3 rounds failed in a row" in str(stop_reason(state_of(*bad, *bad, *bad), config))
    assert stop_reason(state_of(*bad, *bad, *bad, Resumed()), config) is None, "a person wants it tried again"


def test_a_wait_moves_the_clock_and_trouble_is_counted_until_something_is_done() -> None:
    waits = state_of(Waiting(until=50.0, reason="prices"))
    assert (waits.clock, waits.waiting is not None) == (50.0, True)
    trouble = Troubled(step="begin", reason="late", until=60.0)
    assert len(state_of(trouble, trouble).troubles) == 2
    assert state_of(trouble, began()).troubles == ()


def test_a_round_begins_with_research_where_that_is_asked_for_and_its_time_counts() -> None:
    config = replace(CONFIG, research=3, budget_time=7.0)
    assert next_step(state_of(began()), config) is Step.RESEARCH
    assert next_step(state_of(began(), plan()), config) is Step.SEARCH, "one that was planned before goes on"
    done = state_of(began(), RESEARCHED)
    assert next_step(done, config) is Step.PLAN
    assert done.seconds == 7.0
    assert "budget_time" in str(stop_reason(done, config))
    assert next_step(state_of(began()), CONFIG) is Step.PLAN
