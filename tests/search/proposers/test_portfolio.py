from __future__ import annotations

from typing import Any

import pytest

from synthcity.search.config import ArmConfig
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.portfolio import Portfolio
from synthcity.search.proposers.stall import again
from tests.search.builders import candidate, history, tell

ARMS = {
    "tpe": ArmConfig(share=0.7, floor=0.3, ceiling=0.9),
    "random": ArmConfig(share=0.3, floor=0.1, ceiling=0.6),
}


def play(portfolio: Portfolio, rounds: int, scores: dict[str, float], **how: Any) -> list[str]:
    """Let each choice score what its arm scores, a little better with every round."""
    events: list[dict[str, Any]] = []
    chosen = []
    for index in range(rounds):
        name = portfolio.choose(TrialHistory.replay(events), ARMS)
        chosen.append(name)
        events += tell(candidate(index, name, rate=3e-4 + 1e-5 * index), scores[name] - 0.1 * index, **how)
    return chosen


def test_begins_with_the_starting_shares() -> None:
    chosen = play(Portfolio(ARMS), 10, {"tpe": 5000.0, "random": 5000.0})
    assert chosen.count("tpe") == 7


def test_the_better_arm_gets_more_and_the_worse_keeps_its_floor() -> None:
    chosen = play(Portfolio(ARMS), 100, {"tpe": 5100.0, "random": 5000.0})
    assert 0.5 <= chosen.count("random") / 100 <= 0.61
    chosen = play(Portfolio(ARMS), 100, {"tpe": 5000.0, "random": 5100.0})
    assert 0.75 <= chosen.count("tpe") / 100 <= 0.91
    assert chosen.count("random") >= 10


def test_an_arm_that_only_fails_falls_to_its_floor() -> None:
    events: list[dict[str, Any]] = []
    for index in range(80):
        name = Portfolio(ARMS).choose(TrialHistory.replay(events), ARMS)
        status = "failed" if name == "random" else "completed"
        events += tell(candidate(index, name, rate=3e-4 + 1e-5 * index), 5000.0 - index, status=status)
    sources = [record.candidate.source for record in TrialHistory.replay(events).records]
    assert sources[40:].count("random") <= 8


def test_only_open_arms_are_chosen() -> None:
    assert Portfolio(ARMS).choose(TrialHistory(), ["random"]) == "random"
    with pytest.raises(ValueError, match="no arm is open"):
        Portfolio(ARMS).choose(TrialHistory(), [])


def test_rank_rewards_ignore_units_and_order_of_finishing() -> None:
    trials = [tell(candidate(i, "tpe"), score) for i, score in enumerate([5000.0, 4000.0, 4500.0])]
    in_order = Portfolio(ARMS, cost=False).rewards(history(*trials))
    assert in_order == [("tpe", 0.5), ("tpe", 1.0), ("tpe", 0.5)]
    starts = [event for trial in trials for event in trial[:1]]
    rest = [event for trial in reversed(trials) for event in trial[1:]]
    assert Portfolio(ARMS, cost=False).rewards(history(starts, rest)) == in_order
    scaled = [tell(candidate(i, "tpe"), score) for i, score in enumerate([50.0, 40.0, 45.0])]
    assert Portfolio(ARMS, cost=False).rewards(history(*scaled)) == in_order


def test_a_stopped_trial_earns_what_it_beats_trained_alike() -> None:
    """The first of a search run to their end; beside them a better one that was stopped early looks worse."""
    begun = [tell(candidate(i, "tpe"), 5100.0 + i, 5000.0 + i) for i in range(4)]
    stopped = tell(candidate(4, "random"), 5050.0, status="stopped")
    assert Portfolio(ARMS, cost=False).rewards(history(*begun, stopped))[-1] == ("random", 1.0)


def test_a_next_seed_of_a_known_network_earns_and_beats_nothing() -> None:
    known = history(tell(candidate(0, "tpe"), 5000.0))
    rerun = tell(again(known.trials["c0000"], known), 4000.0)
    rewards = Portfolio(ARMS, cost=False).rewards(
        history(tell(candidate(0, "tpe"), 5000.0), rerun, tell(candidate(2, "random"), 4900.0))
    )
    assert rewards == [("tpe", 0.5), ("random", 1.0)]


def test_time_costs_reward_unless_runs_must_repeat() -> None:
    quick, slow = tell(candidate(0, "tpe"), 5000.0, seconds=1.0), tell(candidate(1, "random"), 4999.0, seconds=99.0)
    charged = dict(Portfolio(ARMS).rewards(history(quick, slow)))
    free = dict(Portfolio(ARMS, cost=False).rewards(history(quick, slow)))
    assert charged["random"] < charged["tpe"] + 0.5
    assert free == {"tpe": 0.5, "random": 1.0}


def test_all_arms_that_ask_a_language_model_share_one_ceiling() -> None:
    arms = {"tpe": ARMS["tpe"], "llm.refine": ArmConfig(share=0.2), "llm.structure": ArmConfig(share=0.1)}
    scores = {"tpe": 5200.0, "llm.refine": 5000.0, "llm.structure": 5000.0}
    events: list[dict[str, Any]] = []
    for index in range(50):
        name = Portfolio(arms, llm_ceiling=0.4).choose(TrialHistory.replay(events), arms)
        events += tell(candidate(index, name, rate=3e-4 + 1e-5 * index), scores[name] - index)
    sources = [record.candidate.source for record in TrialHistory.replay(events).records]
    assert 15 <= sum(source.startswith("llm.") for source in sources) <= 20


def test_money_costs_reward_and_refused_proposals_cost_it_too() -> None:
    trial = tell(candidate(0, "llm.refine"), 5000.0)
    refused = {"kind": "rejected", "source": "llm.refine", "stage": "config", "reason": "no", "config": {}, "usd": 0.05}
    portfolio = Portfolio({"llm.refine": ArmConfig(share=1.0)})
    free, paid = (portfolio.rewards(history(trial, more))[0][1] for more in ([], [{**refused, "time": 1.0}]))
    assert paid == pytest.approx(free - 0.1)


def test_an_arm_that_never_earns_anything_keeps_its_floor_and_no_more() -> None:
    arms = {"tpe": ArmConfig(share=0.9), "random": ArmConfig(share=0.1, floor=0.25)}
    events: list[dict[str, Any]] = []
    counts: list[int] = []
    for index in range(60):
        known = TrialHistory.replay(events)
        name = Portfolio(arms).choose(known, arms)
        counts.append(sum(record.candidate.source == "random" for record in known.records))
        status = "completed" if name == "tpe" else "failed"
        events += tell(candidate(index, name, rate=3e-4 + 1e-5 * index), 5000.0 - index, status=status)
    assert all(count >= int(0.25 * total) - 1 for total, count in enumerate(counts))
    assert 14 <= counts[-1] <= 16


def test_on_rented_machines_money_weighs_and_not_time() -> None:
    def trial(index: int, source: str, seconds: float, usd: float) -> list[dict[str, Any]]:
        events = tell(candidate(index, source=source), 5000.0, seconds=seconds)
        return [{**event, "usd": usd} if event["kind"] == "rung" else event for event in events]

    arms = {"tpe": ArmConfig(share=0.5), "random": ArmConfig(share=0.5)}
    told = history(trial(0, "tpe", 100.0, 0.01), trial(1, "random", 10.0, 0.03))
    (_, slow), (_, dear) = Portfolio(arms).rewards(told)
    assert slow == pytest.approx(0.5 - 0.1 * 0.5)
    assert dear == pytest.approx(0.0 - 0.1 * 1.5)
