from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synthcity.agents.prompts import render
from synthcity.search.candidates.candidate import Candidate
from synthcity.search.candidates.space import Space, canonical, config_hash
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.briefing import briefing, insights
from synthcity.search.proposers.stall import again
from tests.search.builders import candidate, config, history, tell

SPACE = Space.from_registry(3)


def large_history(trials: int) -> TrialHistory:
    """Random trials, each derived from the one before; every fourth fails for a long reason of its own."""
    rng = np.random.default_rng(1)
    events = []
    for index in range(trials):
        config = canonical(SPACE.sample(rng))
        parent = f"c{index - 1:04d}" if index else None
        texts = {"parent": parent, "rationale": "wider " * 80}
        candidate = Candidate(index=index, source="llm.refine", config=config, hash=config_hash(config), **texts)
        scores = 5000 + 300 * rng.random(4)
        told = tell(candidate, *scores, status="failed" if index % 4 == 3 else "completed")
        for event in told:
            if event["kind"] == "rung":
                parts = dict.fromkeys(("5min", "30min", "3hour", "24hour_abs"), 1200.0)
                hours = dict.fromkeys(("00", "06", "12", "18"), 5000.0)
                assets = dict.fromkeys(("BTC", "ETH", "SOL", "XAU"), 5000.0)
                event |= {"train_loss": 1.0, "scores_by_asset": assets}
                event |= {"scores_by_interval": parts, "scores_by_hour": hours}
        if index % 4 == 3:
            told[-1]["failure"] = {"class": "TrialFailed", "message": f"{index}: " + "loss " * 500, "traceback": ""}
        refused = {"kind": "rejected", "time": 0.0, "source": "tpe", "stage": "dry run", "config": {}}
        events += [*told, {**refused, "reason": "broken " * 500}]
    return TrialHistory.replay(events)


def prompt(known: TrialHistory, count: int = 4) -> str:
    values = briefing(SPACE, known, task="Forecast. " * 9, budget="Some. " * 80, rule="Propose. " * 9, count=count)
    return render("planner", values).text


def derived(index: int, parent: int, score: float, **changed: Any) -> list[dict[str, Any]]:
    made = config(**changed)
    named = {"parent": f"c{parent:04d}", "rationale": "as planned"}
    return tell(Candidate(index=index, source="refine", config=made, hash=config_hash(made), **named), score)


@pytest.mark.parametrize("trials", [1, 10])
def test_tells_the_best_and_what_was_refused(trials: int) -> None:
    text = prompt(large_history(trials))
    assert "c0000" in text
    assert "refused untrained (dry run)" in text


@pytest.mark.parametrize("trials", [40, 100, 400])
def test_the_whole_space_and_a_long_history_stay_below_4000_tokens_of_four_bytes(trials: int) -> None:
    text = prompt(large_history(trials))
    assert len(text.encode()) < 16_000
    assert all(f"- {name}: " in text for name in (*SPACE.blocks, *SPACE.heads))


def test_gains_and_losses_stand_beside_each_other_with_what_was_changed() -> None:
    events = tell(candidate(0), 5000.0)
    for index in range(1, 30):  # one loss a little, then ever greater gains
        rate = 1e-3 + 1e-4 * index
        events += derived(index, 0, 5050.0 if index == 1 else 5000.0 - index, training={"learning_rate": rate})
    events += derived(30, 0, 4999.0, d_model=64)
    found = insights(TrialHistory.replay(events), 4)
    assert len(found) == 4
    assert found[0] == "c0001 from c0000: training.learning_rate 0.0005 to 0.0011 (as planned): did not help, +1.00 %"
    assert [line[:5] for line in found[1:]] == ["c0027", "c0028", "c0029"]
    assert "d_model 32 to 64" in insights(TrialHistory.replay(events), 40)[-1]


def test_the_baselines_and_how_far_a_stopped_trial_came_are_told() -> None:
    whole = [tell(candidate(index), 5100.0 + index, 5000.0 + index) for index in range(2)]
    baselines = {"kind": "baselines", "time": 0.0, "scores": {"ewma": 5060.0, "fhs": 5050.25}}
    text = prompt(history([baselines], *whole, tell(candidate(2), 5050.0, status="stopped")))
    assert "fhs 5050.2, ewma 5060.0" in text
    table = [line.split("\t") for line in text.splitlines() if line.startswith("c000") and "\t" in line]
    assert [(row[0], row[2]) for row in table] == [  # worst first, the stopped one where it would have come to
        ("c0001", "5001.0"), ("c0000", "5000.0"), ("c0002", "5050.0 at rung 1 of 4"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "asked"),
    [
        (1, "Give one proposal that differs from all that was tried."),
        (3, "Give 3 proposals that differ in kind from each other and from all that was tried."),
    ],
)
def test_asks_for_what_differs_and_says_from_what(count: int, asked: str) -> None:
    assert asked in prompt(history(tell(candidate(0), 5000.0)), count)


def test_what_another_arm_proposed_and_waits_is_told_as_tried() -> None:
    network = {"blocks": [{"name": "tcn"}], "head": {"name": "sde"}}
    said = {"config": network, "rationale": "", "parent": None, "usd": 0.0}
    wrong = {**said, "config": {"blocks": [{"name": "unheard"}]}}
    answered = {"kind": "answered", "time": 1.0, "source": "llm.structure", "question": 0, "usd": 0.0, "error": ""}
    known = history(tell(candidate(0), 5000.0), [{**answered, "proposals": [said, wrong]}])
    assert "\ntcn>sde\n" in prompt(known)


def test_what_lies_within_the_spread_of_seeds_is_no_gain() -> None:
    events = [*tell(candidate(0), 5000.0), *derived(1, 0, 4995.0, d_model=64)]
    assert "helped" in insights(TrialHistory.replay(events), 4)[0]
    for score in (5010.0, 5020.0):
        known = TrialHistory.replay(events)
        events += tell(again(known.trials["c0000"], known), score)
    known = TrialHistory.replay(events)
    (line,) = insights(known, 4)
    assert "no difference beyond seeds, -0.10 %" in line
    text = prompt(known)
    assert "one standard deviation): 10.0" in text
    assert "5010.0 over 3 seeds" in text


def test_a_child_of_one_rung_is_compared_at_that_rung() -> None:
    """At the end of its training the parent is better than the child was at a quarter of it."""
    child = derived(1, 0, 4950.0, d_model=64)
    child[-1]["status"] = "stopped"
    known = TrialHistory.replay([*tell(candidate(0), 5000.0, 4900.0, 4880.0, 4870.0), *child])
    (line,) = insights(known, 4)
    assert "helped, -1.00 % at rung 1, which both have" in line


def test_a_child_is_compared_with_the_first_seed_of_its_parent() -> None:
    events = tell(candidate(0), 5000.0)
    known = TrialHistory.replay(events)
    events += tell(again(known.trials["c0000"], known), 4700.0)
    (line,) = insights(TrialHistory.replay([*events, *derived(2, 1, 4950.0, d_model=64)]), 4)
    assert line.startswith("c0002 from c0000")
    assert "helped, -1.00 %" in line


def test_failures_that_differ_in_numbers_alone_are_one() -> None:
    events = []
    for index in range(3):
        told = tell(candidate(index), status="failed")
        told[-1]["failure"]["message"] = f"out of memory: {index} MiB"
        events += told
    assert "out of memory: 2 MiB, 3x, e.g. lstm>gbm" in prompt(TrialHistory.replay(events))


def test_components_of_the_best_are_explained() -> None:
    assert "    kernel: taps" not in prompt(TrialHistory.replay(tell(candidate(0), 5000.0)))
    best = [*tell(candidate(0), 5000.0), *derived(1, 0, 4900.0, blocks=[{"name": "tcn"}])]
    assert "    kernel: taps" in prompt(TrialHistory.replay(best))
