from __future__ import annotations

import logging
import pickle
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthcity.agents.config import CapsConfig
from synthcity.agents.ledger import Ledger, Price, usage_of, worst_usage
from synthcity.agents.messages import Spend
from synthcity.errors import LLMBudgetExceeded

DOLLAR = Price(1.0, 1.0)  # a dollar is a million tokens


def caps(**values: Any) -> CapsConfig:
    names = [f"{unit}_per_{scope}" for unit in ("usd", "tokens") for scope in ("run", "proposal", "agent")]
    return CapsConfig(**dict.fromkeys(names) | values)


def test_a_reservation_holds_the_worst_until_the_truth_is_known() -> None:
    ledger = Ledger(caps(tokens_per_run=1000))
    held = ledger.reserve("p1", 300, 400, DOLLAR)
    with pytest.raises(
        LLMBudgetExceeded, match="up to 301 tokens would take the run to 1,001 tokens, past its cap of 1,000"
    ):
        ledger.reserve("p2", 300, 1, DOLLAR)
    ledger.settle(held, Spend(calls=1, prompt_tokens=100, completion_tokens=50, usd=0.00015))
    assert ledger.run == Spend(calls=1, prompt_tokens=100, completion_tokens=50, usd=0.00015)
    ledger.reserve("p2", 300, 550, DOLLAR)


def test_caps_are_per_run_and_per_proposal_in_money_and_in_tokens() -> None:
    ledger = Ledger(caps(usd_per_run=3e-3, usd_per_proposal=1e-3))
    for account in ("p1", "p2"):
        ledger.settle(ledger.reserve(account, 500, 500, DOLLAR), Spend(usd=1e-3))
        with pytest.raises(
            LLMBudgetExceeded, match=f"take the proposal '{account}' to 0.0011 USD, past its cap of 0.001"
        ):
            ledger.reserve(account, 50, 50, DOLLAR)
    with pytest.raises(LLMBudgetExceeded, match=r"take the run to 0\.0031 USD"):
        Ledger(caps(usd_per_run=3e-3)).reserve("p", 3000, 100, DOLLAR)
    with pytest.raises(LLMBudgetExceeded, match="take the proposal 'p' to 11 tokens"):
        Ledger(caps(tokens_per_proposal=10)).reserve("p", 10, 1, DOLLAR)
    Ledger(caps()).reserve("p", 10**12, 10**12, DOLLAR)


def test_an_agent_has_a_cap_for_each_question_and_one_for_its_whole_work() -> None:
    ledger = Ledger(caps(usd_per_proposal=1e-3, usd_per_agent=2.5e-3))
    ledger.open_agent("author")
    for _ in range(2):
        ledger.settle(ledger.reserve("author", 500, 500, DOLLAR), Spend(usd=1e-3))
    with pytest.raises(LLMBudgetExceeded, match=r"take the agent 'author' to 0\.0030 USD, past its cap of 0\.0025"):
        ledger.reserve("author", 500, 500, DOLLAR)
    with pytest.raises(LLMBudgetExceeded, match=r"take the question of 'author' to 0\.0011 USD"):
        ledger.reserve("author", 600, 500, DOLLAR)
    ledger.settle(ledger.reserve("p1", 500, 500, DOLLAR), Spend(usd=1e-3))
    with pytest.raises(LLMBudgetExceeded, match="take the proposal 'p1'"):
        ledger.reserve("p1", 50, 50, DOLLAR)


def test_an_unknown_price_is_refused_while_money_is_capped() -> None:
    with pytest.raises(LLMBudgetExceeded, match=r"lists no price .* set llm\.price"):
        Ledger(caps(usd_per_proposal=1.0)).reserve("p", 1, 1, None)
    Ledger(caps(tokens_per_run=10)).reserve("p", 1, 1, None)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 400), st.floats(0, 1)), max_size=30))
def test_no_order_of_calls_passes_a_cap(calls: list[tuple[str, int, float]]) -> None:
    ledger = Ledger(caps(tokens_per_run=1000, tokens_per_proposal=700))
    for account, tokens, part in calls:
        try:
            held = ledger.reserve(account, tokens, tokens, DOLLAR)
        except LLMBudgetExceeded:
            continue
        ledger.settle(held, Spend(calls=1, prompt_tokens=int(tokens * part), completion_tokens=tokens))
    assert ledger.run.tokens <= 1000
    assert all(spend.tokens <= 700 for spend in ledger.accounts.values())


def test_threads_share_one_cap() -> None:
    ledger = Ledger(caps(tokens_per_run=1000))
    granted = []

    def ask() -> None:
        for _ in range(50):
            try:
                held = ledger.reserve("p", 5, 5, DOLLAR)
            except LLMBudgetExceeded:
                return
            granted.append(held)
            ledger.settle(held, Spend(calls=1, prompt_tokens=5, completion_tokens=5))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 100
    assert ledger.run.tokens == 1000


def test_half_and_four_fifths_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger(caps(tokens_per_run=100, usd_per_run=1.0))
    with caplog.at_level(logging.WARNING):
        for _ in range(9):
            ledger.charge("p", Spend(prompt_tokens=10))
    assert [record.getMessage()[:44] for record in caplog.records] == [
        "50 % of the run's cap of 100 tokens for the ",
        "80 % of the run's cap of 100 tokens for the ",
    ]


def test_it_pickles_as_numbers_without_what_is_in_flight() -> None:
    ledger = Ledger(caps(tokens_per_run=100))
    ledger.charge("p", Spend(calls=2, usd=0.5))
    ledger.reserve("q", 50, 0, DOLLAR)
    copy = pickle.loads(pickle.dumps(ledger))
    assert copy.run == Spend(calls=2, usd=0.5)
    copy.reserve("q", 100, 0, DOLLAR)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4}, (3, 4, 0)),
        (
            {"prompt_tokens": 3.0, "completion_tokens": 4, "completion_tokens_details": {"reasoning_tokens": 2}},
            (3, 4, 2),
        ),
        ({"prompt_tokens": 3, "completion_tokens": 4, "completion_tokens_details": None}, (3, 4, 0)),
        ({"prompt_tokens": 3}, None),
        ({"prompt_tokens": -3, "completion_tokens": 4}, None),
        ({"prompt_tokens": True, "completion_tokens": 4}, None),
        ({"prompt_tokens": float("inf"), "completion_tokens": 4}, None),
        ({"prompt_tokens": 10**400, "completion_tokens": 4}, (10**12, 4, 0)),
        (None, None),
    ],
)
def test_usage_is_believed_only_where_it_makes_sense(usage: Any, tokens: Any) -> None:
    assert usage_of(usage) == tokens


def test_bytes_bound_tokens() -> None:
    assert worst_usage(1000, 50) == (1000, 50)
    assert Price(0.5, 2.0).usd(1_000_000, 500_000) == 1.5
