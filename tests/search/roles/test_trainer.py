"""The trainer trains; the record is the result."""

from __future__ import annotations

import json

from tests.search.roles.conftest import NET, Work, results, says


def test_the_trainer_trains_and_the_record_is_the_result(let_work: Work) -> None:
    outcome = let_work(
        "trainer",
        [
            says("list_components"),
            says("train_candidate", config=NET, steps=2),
            says("train_candidate", config={"blocks": [{"name": "grru"}], "head": {"name": "gbm"}}),
            says("train_candidate", config=NET, steps=100_000),
            says("read_result", trial="c0000"),
            says("finish", summary="a score of 1.0, better than anything"),
        ],
    )
    components, trained, unknown, greedy, read, _ = results(outcome)
    assert "- gru:" in components
    record = json.loads(trained)
    assert record == json.loads(read)
    assert record["status"] == "completed"
    assert "did you mean 'gru'" in unknown
    assert "200" in greedy
    assert outcome.measured == (f"c0000 gru>gbm: {record['score']:.1f} bp, {record['seconds']:.0f} s",)
