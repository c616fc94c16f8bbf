"""What questions cost: caps, answers that count nothing, and what a run that goes on has spent already."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from synthcity.agents.config import CapsConfig
from synthcity.agents.standin.process import RunningStandIn
from synthcity.errors import LLMBudgetExceeded, RunError
from tests.agents.test_client import Make, ask, lines


def test_a_call_whose_worst_case_passes_a_cap_is_not_sent(server: RunningStandIn, make_client: Make) -> None:
    client = make_client(caps=CapsConfig(tokens_per_proposal=1200))
    ask(client)
    with pytest.raises(LLMBudgetExceeded, match="would take the proposal 'p1' to"):
        ask(client, max_tokens=1100)
    ask(client, account="p2", max_tokens=1000)
    assert len(server.questions()) == 2
    assert client.availability.ready


def test_retries_are_capped_too(server: RunningStandIn, make_client: Make) -> None:
    server.script(["truncate", "good"])
    client = make_client(caps=CapsConfig(tokens_per_proposal=1200))
    with pytest.raises(LLMBudgetExceeded):  # the lost answer may have to be paid at its worst
        ask(client, max_tokens=700)
    assert len(server.questions()) == 1


def test_an_answer_that_does_not_count_its_tokens_costs_the_worst(server: RunningStandIn, make_client: Make) -> None:
    server.script([{"content": "x", "usage": None}, {"content": "x", "usage": {"prompt_tokens": -5}}])
    client = make_client()
    assert ask(client).spend.completion_tokens == ask(client).spend.completion_tokens == 500


def test_the_longest_answer_is_the_models_own(server: RunningStandIn, make_client: Make) -> None:
    server.script([{"content": "x" * 1000}])
    assert ask(make_client(), max_tokens=100).truncated
    ask(make_client(), max_tokens=10**6)
    assert [body["max_tokens"] for body in server.questions()] == [100, 65_536]


def test_a_run_that_goes_on_begins_with_what_is_spent(make_client: Make, tmp_path: Path) -> None:
    first = make_client(tmp_path)
    ask(first)
    ask(first, account="p2")
    second = make_client(tmp_path)
    assert second.ledger.accounts == first.ledger.accounts
    ask(second)
    assert [line["call"] for line in lines(tmp_path, "request")] == [0, 1, 2]
    with (tmp_path / "llm.jsonl").open("a", encoding="utf-8") as file:  # killed while it waited
        file.write(json.dumps(lines(tmp_path, "request")[-1] | {"call": 3}) + '\n{"kind": "rep')
    assert make_client(tmp_path).ledger.run.completion_tokens == second.ledger.run.completion_tokens + 500
    (tmp_path / "llm.jsonl").write_text('{"kind": "request"}\n', encoding="utf-8")
    with pytest.raises(RunError, match=r"llm\.jsonl is no transcript"):
        make_client(tmp_path)


def test_threads_share_a_client(server: RunningStandIn, make_client: Make, tmp_path: Path) -> None:
    client = make_client(tmp_path)
    threads = [threading.Thread(target=ask, args=(client,), kwargs={"account": f"p{n}"}) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.ledger.run.calls == 8
    assert sorted(line["call"] for line in lines(tmp_path, "reply")) == list(range(8))
