from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.agents.asking.models import Model
from synthcity.agents.asking.roster import Roster
from synthcity.agents.asking.trouble import Trouble
from synthcity.agents.config import LLMConfig
from synthcity.agents.ledger import Price
from synthcity.errors import LLMRefused
from tests.agents.conftest import Clock

ROWS = {"data": [{"id": "a", "supported_features": ["tools"]}, {"id": "b"}]}


class Lists:
    """An endpoint that only lists; answers that are errors are raised."""

    def __init__(self, *answers: Any, is_local: bool = False) -> None:
        self.answers, self.is_local, self.host = list(answers), is_local, "example.com"

    def models(self, timeout_seconds: float) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def roster(clock: Clock, *answers: Any, config: LLMConfig | None = None, is_local: bool = False) -> SimpleNamespace:
    told: list[Any] = []
    endpoint: Any = Lists(*answers, is_local=is_local)
    made = Roster(endpoint, config or LLMConfig(), clock, told.append)
    return SimpleNamespace(roster=made, told=told, pick=lambda *wanted: made.pick(wanted, (), ()).id, endpoint=endpoint)


def test_the_list_is_kept_for_a_while_and_told_when_it_changes(clock: Clock) -> None:
    case = roster(clock, ROWS, ROWS, {"data": [{"id": "c"}]})
    assert [case.pick(), case.pick("b")] == ["a", "b"]
    clock.now += 301
    assert case.pick() == "a"
    clock.now += 301
    assert case.pick() == "c"
    assert [[model.id for model in models] for models in case.told] == [["a", "b"], ["c"]]


def test_who_cannot_serve_is_passed_over_until_nobody_is_left(clock: Clock) -> None:
    case = roster(clock, ROWS, ROWS, ROWS)
    a, b = Model(id="a"), Model(id="b")
    case.roster.pass_over(a)
    assert case.pick() == "b"
    assert case.roster.has_other((), ())
    clock.now += 1
    case.roster.pass_over(b)
    assert not case.roster.has_other((), ())
    assert case.pick() == "a"  # back first
    clock.now += 600
    assert case.pick() == "a"
    case.roster.pass_over(a, gone=True)
    case.pick()
    assert case.endpoint.answers == []  # the list was asked for anew


def test_an_endpoint_that_does_not_list_now(clock: Clock) -> None:
    down = Trouble("HTTP 503", "switch", status=503)
    with pytest.raises(Trouble):
        roster(clock, down).pick()
    case = roster(clock, ROWS, down)
    case.pick()
    clock.now += 301
    assert case.pick() == "a"  # the old list is better than none


@pytest.mark.parametrize("answer", [Trouble("HTTP 404", "switch", status=404), {"data": []}, "<html>"])
def test_an_endpoint_that_never_lists_needs_a_name(clock: Clock, answer: Any) -> None:
    assert roster(clock, answer).pick("gemma") == "gemma"
    with pytest.raises(LLMRefused, match=r"example\.com lists no models; name one in llm\.models, or see .* /v1"):
        roster(clock, answer).pick("*gemma*")


def test_prices(clock: Clock) -> None:
    unpriced, priced = Model(id="a"), Model(id="a", price=Price(1, 2))
    assert roster(clock).roster.price(unpriced) is None
    assert roster(clock, is_local=True).roster.price(unpriced) == Price(0, 0)
    stated = roster(clock, config=LLMConfig(price=(3.0, 4.0)), is_local=True).roster
    assert stated.price(unpriced) == Price(3, 4)
    assert stated.price(priced) == Price(1, 2)
