"""A whole research with a scripted model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synthcity.agents.asking.breaker import Availability
from synthcity.agents.client import LLMClient
from synthcity.agents.config import LLMConfig
from synthcity.agents.ledger import Price
from synthcity.agents.messages import Labels, Message, Reply, Request, Spend, ToolCall
from synthcity.agents.replay import outcome_event
from synthcity.authored.locked.isolation import check_isolation
from synthcity.authored.locked.lock import NotIsolated
from synthcity.durations import DAY
from synthcity.errors import LLMUnavailable
from synthcity.lines import read_all
from synthcity.market.periods import Period
from synthcity.research import claims
from synthcity.research.bench import Bench
from synthcity.research.config import PricesConfig, ResearchConfig
from synthcity.research.labbook import LabBook, Noted
from synthcity.research.library import find, items
from synthcity.research.measuring.trial import Judge
from synthcity.research.model.arm import NAME, Experimenter
from synthcity.research.result import claim_lines, table_rows
from synthcity.research.run import research
from synthcity.settings import Settings
from tests.research.conftest import FOLDS, START, SWING, WAVE, examiner_of, setting_of

DECISION = {"decisions": [{"name": "seven_hours", "decision": "keep", "reason": "clear"}], "summary": "a cycle"}
LOOK = ("look_residuals", {"by": ["hour"]})
TEST = ("test_input", {"source": WAVE, "hypothesis": "every seven hours"})


class Scripted(LLMClient):
    """A model that makes the calls it is told, one a turn, then fails; what it was asked is in ``asked``."""

    def __init__(self, calls: Sequence[tuple[str, dict[str, Any]]]) -> None:
        super().__init__(Settings(), LLMConfig())
        self.calls, self.asked = list(calls), list[Sequence[Message]]()

    @property
    def availability(self) -> Availability:
        return Availability(True)

    def complete(self, messages: Sequence[Message], *, account: str, **_: Any) -> Reply:
        self.asked.append(messages)
        if not self.calls:
            raise LLMUnavailable("the model is gone")
        held = self.ledger.reserve(account, 100, 100, Price(1.0, 1.0))
        self.ledger.settle(held, Spend(calls=1, usd=0.01))
        name, arguments = self.calls.pop(0)
        return Reply(text="", tool_calls=(ToolCall(id=name, name=name, arguments=json.dumps(arguments)),))


def config_of(folder: Path, **more: Any) -> ResearchConfig:
    given = {"folds": FOLDS, "library": str(folder / "library"), "trials": 2, "claims": 2, **more}
    return ResearchConfig(**given)


@pytest.mark.slow
def test_a_forecaster_that_a_model_wrote_is_claimed_beside_its_input_kept_and_never_asked_twice(
    swinging: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        check_isolation()
    except NotIsolated as error:
        pytest.skip(str(error))
    wrong = SWING.replace("return drawn", "return drawn[:1]").replace('"swing"', '"too_few"')
    calls = [TEST, ("test_forecaster", {"source": wrong, "hypothesis": "one path will do"})]
    calls += [("test_forecaster", {"source": SWING, "hypothesis": "every seven hours"}), ("finish", DECISION)]
    few = replace(FOLDS, find=Period(start=START + 20 * DAY, end=START + 38 * DAY))
    config, setting, folder = config_of(tmp_path, rounds=1, trials=3, folds=few), setting_of(swinging), tmp_path / "run"
    result = research(config, folder, client=Scripted(calls), setting=setting)
    arm, control = result.arms
    assert (arm.tests, arm.refused, arm.promising, control.tests) == (2, 0, 2, 2)  # what failed at once is no test
    assert {(claim.what, claim.name) for claim in arm.kept} == {("input", "seven_hours"), ("forecaster", "swing")}
    assert [claim.confidence for claim in arm.claims] == pytest.approx([0.95, 0.95])  # both share one level
    assert any(line.startswith("model claims the forecaster swing: ") for line in claim_lines(result))
    (item,) = [one for one in items(tmp_path / "library")[0] if one.origin.kind == "forecaster"]
    assert (item.origin.forecaster, item.evidence.found.name, item.evidence.looks) == (SWING, "swing", 0)
    lines = (folder / "labbook.jsonl").read_text().splitlines(keepends=True)
    kinds = [json.loads(line)["kind"] for line in lines]
    monkeypatch.setattr(Bench, "_tested", None)
    monkeypatch.setattr(claims, "_asked", None)
    (folder / "labbook.jsonl").write_text("".join(lines[:-1]) + lines[-1][:20])
    with pytest.raises(TypeError):  # the last claim was not answered, so it alone is asked again
        research(config, folder, client=Scripted([]), setting=setting, resume=True)
    assert [event["kind"] for event in read_all(folder / "labbook.jsonl")] == kinds[:-1]
    (folder / "labbook.jsonl").write_text("".join(lines))
    assert research(config, folder, client=Scripted([]), setting=setting, resume=True).arms[0].claims == arm.claims


@pytest.mark.slow
def test_a_model_finds_what_is_planted_and_the_control_has_as_many_trials(swinging: Judge, tmp_path: Path) -> None:
    try:
        check_isolation()
    except NotIsolated as error:
        pytest.skip(str(error))
    model = Scripted([LOOK, TEST, ("finish", DECISION), LOOK, ("finish", {"decisions": [], "summary": "done"})])
    config = config_of(tmp_path, rounds=5, prices=PricesConfig(source="store", path="prices"))
    real = replace(setting_of(swinging), simulated=False)
    result = research(config, tmp_path / "run", client=model, setting=real)
    arm, control = result.arms
    assert (arm.arm, arm.rounds, arm.looks, arm.tests, arm.promising) == ("model", 2, 2, 1, 1)
    assert [claim.name for claim in arm.kept] == ["seven_hours"]
    assert arm.usd == pytest.approx(0.05)
    assert arm.ended == "the model is gone"
    assert (control.arm, control.tests) == ("control", 1)
    assert result.known_months[0] == "2025-01"
    (item,) = [one for one in items(tmp_path / "library")[0] if one.evidence.found.arm == "model"]
    assert find(tmp_path / "library", item.name).origin.source == WAVE
    assert item.evidence.confirmed.kept
    assert item.evidence.known_months == result.known_months
    later = model.asked[3][0]["content"]
    assert "round 1 seven_hours" in later
    assert "keep: clear" in later
    assert "a cycle" in later
    events = read_all(tmp_path / "run" / "labbook.jsonl")
    assert any("and the control ends with it: the model is gone" in event.get("text", "") for event in events)
    assert json.loads((tmp_path / "run" / "result.json").read_text())["arms"][0]["replicated"] == 1.0
    assert [row[0] for row in table_rows(result)] == ["model", "control"]


def test_one_question_without_an_answer_ends_a_round_and_two_rounds_of_them_end_the_model(
    still: Judge, tmp_path: Path
) -> None:
    with LabBook(tmp_path) as book:
        bench = Bench(NAME, examiner_of(still), FOLDS, book)
        author = Experimenter.of(Scripted([LOOK]), bench, setting_of(still), config_of(tmp_path))
        assert (author.run_round(1, lambda: 60.0), author.ended) == (0, "")
        assert (author.run_round(2, lambda: 60.0), author.ended) == (0, "the model is gone")
        notes = [note.text for note in book.of(Noted)]
        assert int(author.known.times[-1]) == FOLDS.confirm.start
        assert all(published[-1] <= FOLDS.confirm.start for published, _ in author.known.series.values())
    assert notes == [f"round {number} of the model ended early (failed): the model is gone" for number in (1, 2)]


class Paid:
    """In place of a connection: makes the calls it is told, one a question, and is cut off where they end."""

    availability = Availability(True)

    def __init__(self, client: LLMClient, calls: Sequence[tuple[str, dict[str, Any]]]) -> None:
        self.client, self.calls, self.asked = client, list(calls), 0

    def close(self) -> None:
        """There is nothing to close."""

    def ask(self, request: Request, labels: Labels, seconds: float | None = None) -> Reply:
        self.asked += 1
        if not self.calls:
            raise KeyboardInterrupt
        name, arguments = self.calls.pop(0)
        call, spend = ToolCall(id=name, name=name, arguments=json.dumps(arguments)), Spend(calls=1, usd=0.01)
        reply = Reply(text="", tool_calls=(call,), spend=spend)
        self.client.ledger.charge(labels["account"], spend)
        self.client._note({**outcome_event(reply), **labels, "attempt": 0, "spend": vars(spend)})
        return reply


def test_a_round_that_was_killed_goes_on_where_it_was_and_no_question_is_asked_twice(
    still: Judge, tmp_path: Path
) -> None:
    def session(calls: Sequence[tuple[str, dict[str, Any]]], *, resume: bool) -> tuple[Paid, Experimenter]:
        with LLMClient(Settings(), LLMConfig(), folder=tmp_path, again=resume) as client:
            live = Paid(client, calls)
            client._live = live  # type: ignore[assignment]
            with LabBook(tmp_path, resume=resume) as book:
                bench = Bench(NAME, examiner_of(still), FOLDS, book)
                author = Experimenter.of(client, bench, setting_of(still), config_of(tmp_path))
                for number in (1, 2):
                    try:
                        author.run_round(number, lambda: 60.0)
                    except KeyboardInterrupt:
                        break
        return live, author

    minute, done = (
        ("look_residuals", {"by": ["minute"]}),
        ("finish", {"decisions": [], "summary": "nothing stands out"}),
    )
    assert session([LOOK, done, minute], resume=False)[0].asked == 4  # killed while the fourth is on its way
    client, author = session([done], resume=True)
    assert client.asked == 1
    assert author.usd == pytest.approx(0.04)
    events = read_all(tmp_path / "labbook.jsonl")
    assert [event.get("what", event.get("reason")) for event in events] == [
        "residuals by hour",
        "nothing stands out",
        "residuals by minute",
        "nothing stands out",
    ]
    assert len(read_all(tmp_path / "llm.jsonl")) == 4
