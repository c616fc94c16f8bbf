"""A whole research without a model."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import RunError
from synthcity.lines import read_all
from synthcity.research import claims, run
from synthcity.research.bench import Bench
from synthcity.research.config import PricesConfig, ResearchConfig
from synthcity.research.control.recipes import Cycle
from synthcity.research.labbook import NAME, LabBook, Noted, Origin, Tried
from synthcity.research.library import items, slug
from synthcity.research.measuring.trial import Judge
from synthcity.research.run import known_months, research
from tests.research.conftest import FOLDS, examiner_of, setting_of


def config_of(folder: Path, **more: Any) -> ResearchConfig:
    return ResearchConfig(folds=FOLDS, library=str(folder / "library"), trials=2, claims=2, **more)


def test_without_a_model_the_control_works_alone(still: Judge, tmp_path: Path) -> None:
    result = research(config_of(tmp_path, rounds=2), tmp_path / "run", setting=setting_of(still))
    (control,) = result.arms
    assert (control.arm, control.tests, control.usd) == ("control", 4, 0.0)
    assert control.kept == ()
    assert result.notes == ("one was left out",)
    assert result.known_months == ()


class Lucky:
    """A grammar whose first draw is what is planted, and whose others are nothing."""

    def __init__(self, *_: object) -> None:
        self.hours = iter((7.0, 9.3, 11.1, 12.7, 13.9, 15.2))

    def draw(self, best: object = ()) -> Cycle:
        return Cycle(hours=next(self.hours), harmonics=1)


@pytest.fixture
def lucky(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "Grammar", Lucky)


@pytest.mark.usefixtures("lucky")
def test_what_is_planted_is_found_claimed_and_kept_with_its_evidence(swinging: Judge, tmp_path: Path) -> None:
    told: list[str] = []
    config = config_of(tmp_path, rounds=2)
    result = research(config, tmp_path / "run", setting=setting_of(swinging), tell=told.append)
    (control,) = result.arms
    assert [claim.name for claim in control.kept] == ["cycle(7,1)"]
    assert control.gain is not None
    assert control.gain < 0
    ((item,), problems) = items(tmp_path / "library")
    assert problems == []
    assert item.evidence.confirmed == control.kept[0]
    assert item.evidence.simulated, "a search on real prices must not take it"
    assert item.origin.recipe == Cycle(hours=7.0, harmonics=1).to_dict()
    assert (item.evidence.tests, item.evidence.known_months) == (4, ())
    assert any(line.startswith("kept: cycle(7,1), in ") for line in told)
    assert json.loads((tmp_path / "run" / "result.json").read_text())["arms"][0]["gain"] == control.gain


@pytest.mark.usefixtures("lucky")
def test_days_that_were_asked_before_are_told(swinging: Judge, tmp_path: Path) -> None:
    config, setting = config_of(tmp_path, rounds=1), setting_of(swinging)
    assert research(config, tmp_path / "first", setting=setting).notes == ("one was left out",)
    (item,) = items(tmp_path / "library")[0]
    assert item.evidence.asked_before == 0
    result = research(replace(config, seed=1), tmp_path / "second", setting=setting)
    assert result.notes[1:] == ("1 claim was asked of days of folds.confirm before, so chance has had more tries",)
    (item,) = items(tmp_path / "library")[0]
    assert item.evidence.asked_before == 1


@pytest.mark.usefixtures("lucky")
def test_a_count_that_cannot_be_kept_is_told_and_costs_nothing(swinging: Judge, tmp_path: Path) -> None:
    (tmp_path / "library" / "asked.jsonl").mkdir(parents=True)
    result = research(config_of(tmp_path, rounds=1), tmp_path / "run", setting=setting_of(swinging))
    assert result.notes[1].startswith("later researches will not know what was asked of these days: ")
    assert len(result.arms[0].kept) == 1


def test_a_folder_that_holds_a_research_keeps_it_as_it_is(still: Judge, tmp_path: Path) -> None:
    (tmp_path / "labbook.jsonl").write_text("{}\n")
    (tmp_path / "resolved.yaml").write_text("seed: 3\n")
    with pytest.raises(RunError, match="already holds a research"):
        research(config_of(tmp_path, rounds=1), tmp_path, setting=setting_of(still))
    assert (tmp_path / "resolved.yaml").read_text() == "seed: 3\n"


@pytest.mark.usefixtures("lucky")
def test_a_library_that_takes_nothing_costs_no_result(swinging: Judge, tmp_path: Path) -> None:
    recipe = Cycle(hours=7.0, harmonics=1)
    damaged = tmp_path / "library" / f"{slug(recipe.name, Origin(recipe=recipe.to_dict()))}.json"
    damaged.parent.mkdir()
    damaged.write_text("{")
    result = research(config_of(tmp_path, rounds=1), tmp_path / "run", setting=setting_of(swinging))
    assert result.notes[-1].startswith("cycle(7,1) is kept, but stands in the lab book alone: ")
    assert json.loads((tmp_path / "run" / "result.json").read_text())["notes"] == list(result.notes)
    assert damaged.read_text() == "{"


@pytest.mark.usefixtures("lucky")
def test_a_research_that_was_killed_goes_on_and_does_nothing_twice(
    swinging: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, setting, folder = config_of(tmp_path, rounds=2), setting_of(swinging), tmp_path / "run"
    whole = research(config, folder, setting=setting)
    lines = (folder / NAME).read_text().splitlines(keepends=True)
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds.count("tried") == 4
    counts = tmp_path / "library" / "asked.jsonl"
    done: list[str] = []
    watched(monkeypatch, Bench, "_tested", done)
    watched(monkeypatch, claims, "_asked", done)
    for left in (1, kinds.index("tried") + 1, kinds.index("findingover"), kinds.index("findingover") + 1, len(kinds)):
        (folder / NAME).write_text("".join(lines[:left]) + "".join(lines[left : left + 1])[:9])  # and a torn line
        done.clear()
        before = len(read_all(counts))
        result = research(config, folder, setting=setting, resume=True)
        assert result.arms == whole.arms
        assert [event["kind"] for event in read_all(folder / NAME) if event["kind"] != "noted"] == kinds[1:]
        assert done.count("_tested") == 4 - kinds[:left].count("tried")
        assert done.count("_asked") == 1 - kinds[:left].count("claimed")
        assert len(read_all(counts)) == before + ("findingover" not in kinds[:left])
    assert len(items(tmp_path / "library")[0]) == 1


def watched(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, done: list[str]) -> None:
    """Write down every call of a function."""
    function = getattr(owner, name)

    def call(*arguments: Any) -> Any:
        done.append(name)
        return function(*arguments)

    monkeypatch.setattr(owner, name, call)


@dataclass
class Author:
    """A model that has so many inputs tested in each round, then ends; ``seconds`` it was given."""

    bench: Bench
    script: list[int]
    ended: str = ""
    seconds: list[float] = field(default_factory=list)

    def run_round(self, number: int, left: Callable[[], float]) -> int:
        self.seconds.append(left())
        tests = self.script.pop(0)
        for _ in range(tests):
            self.bench.test(Cycle(hours=11.3, harmonics=1), Origin(source="text"), round=number)
        self.ended = "" if self.script else "it is gone"
        return tests


def rounds_with(script: list[int], judge: Judge, folder: Path, *, left: float = 1000.0) -> tuple[Author, LabBook]:
    with LabBook(folder) as book:
        author = Author(Bench("model", examiner_of(judge), FOLDS, book), script)
        control = Bench("control", examiner_of(judge), FOLDS, book)
        end = time.monotonic() + left
        given = (
            config_of(folder, rounds=3),
            control,
            Lucky(),
            author,
            lambda: end - time.monotonic(),
            lambda text: None,
        )
        run._rounds(*given)  # type: ignore[arg-type]
    return author, book


def test_the_control_has_as_many_tests_as_the_model_and_ends_with_it(still: Judge, tmp_path: Path) -> None:
    _, book = rounds_with([1, 0], still, tmp_path)
    assert [(entry.arm, entry.round) for entry in book.of(Tried)] == [("model", 1), ("control", 1)]
    assert [note.text for note in book.of(Noted)] == [
        "the model works no more, and the control ends with it: it is gone"
    ]


def test_a_model_that_has_nothing_tested_leaves_the_control_alone(still: Judge, tmp_path: Path) -> None:
    author, book = rounds_with([0], still, tmp_path / "all")
    assert len(author.seconds) == 1
    assert [entry.round for entry in book.of(Tried, "control")] == [1, 1, 2, 2, 3, 3]
    assert book.of(Noted)[0].text == "the control works alone: it is gone"


def test_a_model_is_not_asked_when_time_is_over(still: Judge, tmp_path: Path) -> None:
    author, book = rounds_with([1, 1], still, tmp_path, left=-1.0)
    assert (author.seconds, book.of(Tried)) == ([], [])
    assert [note.text for note in book.of(Noted)] == ["time was over in round 1"]


def test_months_after_a_models_knowledge_are_not_counted() -> None:
    store = PricesConfig(source="store", path="prices")
    assert known_months(ResearchConfig(folds=FOLDS)) == ()
    assert known_months(ResearchConfig(folds=FOLDS, prices=store)) == ("2025-01", "2025-02", "2025-03")
    assert known_months(ResearchConfig(folds=FOLDS, prices=store, knowledge_ends="2025-02-01")) == ("2025-01",)
