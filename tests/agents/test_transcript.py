from __future__ import annotations

from typing import Any

from synthcity.agents.messages import Spend
from synthcity.agents.transcript import spent


def test_what_was_spent_counts_every_attempt_and_the_unknown_at_its_worst() -> None:
    def request(call: int, attempt: int, account: str = "p") -> dict[str, Any]:
        return {"kind": "request", "call": call, "attempt": attempt, "account": account, "worst": {"usd": 1.0}}

    events = [
        {"kind": "models", "models": []},
        request(0, 1),
        {"kind": "failure", "call": 0, "attempt": 1, "account": "p", "spend": {"usd": 0.25}},
        request(0, 2),
        {"kind": "reply", "call": 0, "attempt": 2, "account": "p", "spend": {"usd": 0.125}},
        request(1, 1, "q"),  # killed here
        {"kind": "reply", "call": 2, "account": "q", "spend": {"usd": 0.5}},  # replayed
        {"kind": "gave_up", "call": 3},
    ]
    assert spent(events) == {"p": Spend(usd=0.375), "q": Spend(usd=1.5)}
