from __future__ import annotations

import numpy as np
import pytest

from synthcity.agents.prompts import render
from synthcity.search.briefing import briefing
from synthcity.search.candidate import Candidate
from synthcity.search.history import History
from synthcity.search.space import Space, canonical, config_hash
from tests.search.builders import tell

SPACE = Space.from_registry(3)


def large_history(trials: int) -> History:
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
        if index % 4 == 3:
            told[-1]["failure"] = {"class": "TrialFailed", "message": f"{index}: " + "loss " * 500, "traceback": ""}
        refused = {"kind": "rejected", "time": 0.0, "source": "tpe", "stage": "dry run", "config": {}}
        events += [*told, {**refused, "reason": "broken " * 500}]
    return History.replay(events)


def prompt(trials: int) -> str:
    values = briefing(SPACE, large_history(trials), task="Forecast.", budget="Some.", rule="Propose.", count=2)
    return render("planner", values).text


@pytest.mark.parametrize("trials", [1, 10])
def test_tells_the_best_and_what_was_refused(trials: int) -> None:
    text = prompt(trials)
    assert "c0000" in text
    assert "refused untrained (dry run)" in text


def test_does_not_grow_with_the_search() -> None:
    middle, long = len(prompt(40)), len(prompt(400))
    assert long < 1.2 * middle
    assert long < 50_000
