from __future__ import annotations

import pytest

from synthcity.search.config import ArmConfig
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.arm_table import arm_rows
from tests.search.builders import candidate, tell

ARMS = {"tpe": ArmConfig(share=0.5), "llm.refine": ArmConfig(share=0.5)}


def answered(usd: float, *, proposals: int) -> dict[str, object]:
    said = [{"config": {}, "rationale": "", "parent": None, "usd": usd / proposals}] * proposals
    return {"kind": "answered", "time": 0.0, "source": "llm.refine", "proposals": said, "usd": usd, "error": ""}


def test_share_reward_and_cost_by_arm_over_time() -> None:
    away = {**tell(candidate(3, "tpe"))[0], "arms": {"llm.refine": "resting"}}
    events = [
        *tell(candidate(0, "defaults"), 5500.0),
        *tell(candidate(1, "tpe"), 5600.0),
        answered(0.02, proposals=2),
        *tell(candidate(2, "llm.refine"), 5400.0),
        {"kind": "rejected", "time": 0.0, "source": "llm.refine", "stage": "size", "reason": "large", "config": {}},
        {**answered(0.01, proposals=1), "proposals": [], "error": "overloaded"},
        away,
        {"kind": "arm_state", "time": 0.0, "source": "llm.refine", "state": "resting", "reason": "overloaded"},
    ]
    tpe, llm = arm_rows(TrialHistory.replay(events), ARMS)
    assert [point["share"] for point in tpe["curve"]] == pytest.approx([1.0, 0.5, 2 / 3])
    assert [point["usd"] for point in llm["curve"]] == pytest.approx([0.0, 0.02, 0.03])
    assert [point["reward"] is None for point in llm["curve"]] == [True, False, False]
    assert llm["reward"] is not None
    assert tpe["reward"] is not None
    assert llm["reward"] > tpe["reward"]
    assert (llm["refused"], llm["questions"], llm["in_vain"], llm["away"], tpe["away"]) == (1, 2, 1, 1, 0)
    assert (llm["usd"], llm["state"], llm["reason"]) == (pytest.approx(0.03), "resting", "overloaded")
    assert llm["seconds"] == 11.0


def test_an_arm_that_came_back_still_says_why_it_was_away() -> None:
    rows = arm_rows(TrialHistory(), ARMS, {"llm.refine": "overloaded"})
    assert [(row["state"], row["reason"], row["share"], row["curve"]) for row in rows] == [
        ("open", "", 0.0, []),
        ("open", "overloaded", 0.0, []),
    ]
