"""The thread beside the trials: whatever becomes of it, the search goes on, in time, and says what happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.agents.ledger import Price
from synthcity.agents.messages import Spend
from synthcity.authored.forecaster import ForecasterSource
from synthcity.errors import DataError
from synthcity.research.informed.choosing import KeptForecaster
from synthcity.search.data import SearchData
from synthcity.search.journal.events import Degraded, Researched
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.parts import FoundTold
from synthcity.search.journal.recorder import Recorder
from synthcity.search.researching import beside
from synthcity.search.researching.beside import Beside
from synthcity.search.researching.work import Outcome
from tests.research.conftest import SWING
from tests.research.model.test_arm import Scripted
from tests.search.finals.test_forecasters import Asked
from tests.search.researching.conftest import config

FOUND = FoundTold(
    name="cycle-7-1-0a1b2c",
    made_by="recipe",
    sha256="ab" * 32,
    arm="control",
    mean=-0.5,
    low=-0.9,
    high=-0.1,
    confidence=0.9,
    prompts=100,
)
FREE = SimpleNamespace(left=None, grace=0.0)


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with Journal(tmp_path / "run") as journal:
        yield Recorder(journal)


@pytest.fixture
def research(recorder: Recorder, data: SearchData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have something in place of the research go on beside no trials; returns what was told of its end."""

    def go(work: Callable[..., Any], *settings: str, clock: Any = FREE, scorer: Any = None, client: Any = None) -> Any:
        monkeypatch.setattr(beside, "do_research", lambda *_, **given: work(**given))
        own = Beside(recorder, data, config(*settings), tmp_path / "run")
        own.start(client, clock)
        own.finish(scorer or Asked(), clock)
        return recorder.last(Researched)

    return go


def test_what_it_keeps_is_told_with_what_it_cost(research: Any, recorder: Recorder) -> None:
    client = Scripted([])
    held = client.ledger.reserve("experimenter-1", 100, 100, Price(1.0, 1.0))
    client.ledger.settle(held, Spend(calls=1, usd=0.01))
    client.ledger.charge("p1", Spend(calls=1, usd=0.5))  # another arm's

    def work(tell: Callable[[str], None], left: Callable[[], float]) -> Outcome:
        tell("round 1 of 1")
        return Outcome(sentence="one is kept", found=(FOUND,), inputs=(FOUND["name"],), notes=("one asset rests",))

    told = research(work, client=client)
    assert (told["sentence"], told["found"], told["inputs"], told["usd"]) == (
        "one is kept",
        [FOUND],
        [FOUND["name"]],
        0.01,
    )
    assert [event["text"] for event in recorder.events if event["kind"] == "research"] == ["round 1 of 1"]
    assert [event["note"] for event in recorder.all(Degraded)] == ["One asset rests."]
    assert recorder.history.researched == told
    assert (recorder.history.researching, recorder.history.usd) == ("", 0.01)


@pytest.mark.parametrize(
    ("error", "why"),
    [(DataError("the train period is short"), "the train period is short"), (ValueError("a bug"), "ValueError: a bug")],
)
def test_a_research_that_fails_is_told_at_once_and_costs_nothing(
    research: Any, recorder: Recorder, error: Exception, why: str
) -> None:
    def work(**_: object) -> Outcome:
        raise error

    told = research(work)
    assert told["sentence"] == f"nothing came of it: {why}"
    said = [event["text"] for event in recorder.events if event["kind"] == "research"]
    assert said == [f"it failed, and the search goes on without: {why}"]
    assert (told["found"], told["inputs"], told["forecasters"]) == ([], [], [])


def test_one_that_hangs_is_left_alone_in_time_and_tells_nothing_any_more(research: Any, recorder: Recorder) -> None:
    ended: list[str] = []

    def work(tell: Callable[[str], None], left: Callable[[], float]) -> Outcome:
        time.sleep(0.5)  # a step that nobody can cut short
        try:
            tell("still here")
        except Exception as error:
            ended.append(type(error).__name__)
            raise
        return Outcome(sentence="too late")

    begin = time.monotonic()
    told = research(work, "search.research.wait=0.1s")
    assert time.monotonic() - begin < 0.4
    assert told["sentence"] == (
        "nothing came of it: it was not over in time; research/labbook.jsonl tells how far it came"
    )
    time.sleep(0.7)
    assert ended == ["_LeftAlone"]
    assert [event["kind"] for event in recorder.events] == ["stage", "researched"]


def test_finding_ends_before_the_time_of_trials_does_and_soon_after_the_last_trial(research: Any) -> None:
    seen: list[float] = []

    def work(tell: Callable[[str], None], left: Callable[[], float]) -> Outcome:
        seen.append(left())
        while left() > 0:
            time.sleep(0.01)
        return Outcome(sentence="time was over")

    begin = time.monotonic()
    assert research(work, clock=SimpleNamespace(left=1.0, grace=0.2, affords=bool))["sentence"] == "time was over"
    assert 0.6 < seen[0] <= 0.75
    assert time.monotonic() - begin < 1.1


def test_forecasters_answer_every_prompt_before_they_are_used(
    recorder: Recorder, data: SearchData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, research: Any
) -> None:
    kept = tuple(
        KeptForecaster(name=name, source=ForecasterSource.of(SWING.replace('"swing"', f'"{name}"')))
        for name in ("good", "hangs")
    )
    told = research(lambda **_: Outcome(sentence="two", forecasters=kept), scorer=Asked(failing="hangs"))
    assert told["forecasters"] == ["good"]
    (stage,) = (event["message"] for event in recorder.events if event["kind"] == "stage")
    assert stage == "asking 2 forecasters that research kept"
    assert (tmp_path / "run" / "research" / "forecasters" / "good" / "config.json").is_file()
    assert ["hangs is left out" in event["note"] for event in recorder.all(Degraded)] == [True]


def test_a_forecaster_that_the_finals_have_no_time_for_is_left_out(research: Any, recorder: Recorder) -> None:
    kept = KeptForecaster(name="slow", source=ForecasterSource.of(SWING))
    costs: list[float] = []
    clock = SimpleNamespace(left=5.0, grace=0.0, affords=lambda cost: bool(costs.append(cost)))
    scorer = Asked()
    scorer.seconds = 0.0  # type: ignore[attr-defined]
    told = research(lambda **_: Outcome(sentence="one", forecasters=(kept,)), clock=clock, scorer=scorer)
    assert (told["forecasters"], costs, len(scorer.paths["swing"])) == ([], [0.0], 8)
    assert [event["note"] for event in recorder.all(Degraded)] == [
        "The kept forecaster slow is left out: the finals have no time for its answers."
    ]


def test_there_is_none_where_none_is_asked_for_and_none_twice(research: Any, recorder: Recorder) -> None:
    def never(**_: object) -> Outcome:
        raise AssertionError

    assert research(never, "search.research.rounds=0") is None
    research(lambda **_: Outcome(sentence="none"))
    assert research(never)["sentence"] == "none"
    assert sum(event["kind"] == "researched" for event in recorder.events) == 1


def test_a_model_that_may_cost_nothing_is_not_asked(research: Any, data: SearchData) -> None:
    own = Beside(
        SimpleNamespace(last=lambda kind: None, used_seconds=lambda: 0.0),
        data,
        config("llm.caps.usd_per_run=0"),
        Path(),
    )  # type: ignore[arg-type]
    own._thread = SimpleNamespace(start=lambda: None)  # type: ignore[assignment]
    own.start(Scripted([]), FREE)  # type: ignore[arg-type]
    assert own._client is None
