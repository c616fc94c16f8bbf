"""Research at the beginning of a round: on which prices, by whom, within which bounds, and nothing paid for twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.agents.client import LLMClient
from synthcity.agents.config import LLMConfig
from synthcity.agents.standin.process import RunningStandIn, running_standin
from synthcity.authored.locked import isolation
from synthcity.authored.locked.isolation import check_isolation
from synthcity.authored.locked.lock import NotIsolated
from synthcity.durations import DAY
from synthcity.errors import DataError
from synthcity.market.periods import Period, Periods
from synthcity.pipeline.config import Sweep, load_pipeline
from synthcity.pipeline.state import State
from synthcity.pipeline.steps.researching import Means, recipes_for, researched
from synthcity.pipeline.worlds.rehearsal import Rehearsal
from synthcity.research import run as module
from synthcity.research.labbook import Origin
from synthcity.research.library import DROPPED, add, decide, items
from synthcity.settings import Secret, Settings
from tests.pipeline.standin import began
from tests.pipeline.steps.test_agent import KEY
from tests.research.conftest import WAVE
from tests.research.test_library import RECIPE, evidence

FILE = Path(__file__).parents[3] / "configs" / "quickstart-pipeline.yaml"
[PLAIN] = load_pipeline(FILE).sweeps.values()
SWEEP = replace(PLAIN, config=replace(PLAIN.config, llm=LLMConfig(models=("*General*",))))
TRIALS = Means(trials=3)


def _arm(name: str = "control", **changes: Any) -> Any:
    plain = {"tests": 3, "promising": 2, "claims": ("a", "b"), "kept": ("a",), "gain": -0.5, "ended": ""}
    return SimpleNamespace(arm=name, **{**plain, **changes})


def _done(*arms: Any) -> Any:
    return SimpleNamespace(arms=arms or (_arm(),))


@pytest.fixture(scope="module")
def server() -> Iterator[RunningStandIn]:
    with running_standin() as running:
        yield running


@pytest.fixture
def settings(server: RunningStandIn, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(isolation, "check_isolation", lambda: None)
    return Settings(llm_base_url=server.url, llm_api_key=Secret(KEY))


def test_it_ends_before_the_test_and_takes_half_of_what_is_left_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(module, "research", lambda config, folder: seen.append((config, folder)) or _done())
    told = researched(tmp_path, "prices", SWEEP, began(7), Means(trials=3, seconds=600.0))
    [(config, folder)] = seen
    assert told.sentence.startswith("3 tested, 2 promising, 1 of 2 claims kept, which gain ")
    assert told.sentence.endswith("; no language model was asked: none is set")
    assert (told.round, told.folder, told.usd) == (7, str(folder), 0.0)
    assert folder == tmp_path / "research" / "round-0007" / "research"
    periods = began().periods
    assert (config.folds.learn.start, config.folds.find.end) == (periods.train.start, periods.train.end)
    assert config.folds.confirm == periods.validation
    assert (config.time_budget, config.trials, config.rounds, config.seed) == (300.0, 3, 1, 7)
    assert (config.prices.path, config.prices.assets, config.library) == ("prices", ("BTC",), str(tmp_path / "library"))
    (folder / "labbook.jsonl").parent.mkdir(parents=True)
    (folder / "labbook.jsonl").write_text("a kill cut it off")
    researched(tmp_path, "prices", SWEEP, began(7), TRIALS)
    assert seen[1][1] != folder
    assert seen[1][0].time_budget is None


def test_a_round_goes_on_where_there_can_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise DataError("prices begin too late")

    monkeypatch.setattr(module, "research", refuse)
    told = researched(tmp_path, "prices", SWEEP, began(), TRIALS)
    assert (told.sentence, told.folder) == ("none: prices begin too late", "")


def test_a_model_takes_half_of_the_money_that_is_left_and_its_arm_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    seen: list[LLMConfig] = []

    def research(config: object, folder: Path, *, client: LLMClient) -> Any:
        seen.append(client.config)
        client.complete([{"role": "user", "content": "what is new?"}], account="experimenter-1")
        return _done(_arm("model", tests=1, kept=(), gain=None, ended="the money is gone"), _arm())

    monkeypatch.setattr(module, "research", research)
    told = researched(tmp_path, "prices", SWEEP, began(), Means(trials=3, usd=0.5), settings)
    assert (seen[0].caps.usd_per_run, seen[0].caps.usd_per_agent) == (0.25, 0.25)
    assert 0 < told.usd < 0.25
    model, control = told.sentence.split("; ")
    assert model == "by the model, 1 tested, 2 promising, 0 of 2 claims kept (it ended early: the money is gone)"
    assert control.startswith("by the control, 3 tested")
    researched(tmp_path, "prices", SWEEP, began(2), TRIALS, settings)
    assert seen[1].caps == LLMConfig().caps


def test_what_a_killed_research_was_answered_is_not_paid_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: RunningStandIn, settings: Settings
) -> None:
    def ask(client: LLMClient, *questions: str) -> None:
        for question in questions:
            client.complete([{"role": "user", "content": question}], account="experimenter-1")

    def killed(config: object, folder: Path, *, client: LLMClient) -> Any:
        folder.mkdir(parents=True)
        (folder / "labbook.jsonl").write_text("begun")
        ask(client, "one", "two")
        raise KeyboardInterrupt

    def whole(config: object, folder: Path, *, client: LLMClient) -> Any:
        ask(client, "one", "two", "three")
        return _done()

    server.script([])
    monkeypatch.setattr(module, "research", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            researched(tmp_path, "prices", SWEEP, began(), TRIALS, settings)
    monkeypatch.setattr(module, "research", whole)
    told = researched(tmp_path, "prices", SWEEP, began(), TRIALS, settings)
    assert [one["messages"][0]["content"] for one in server.questions()] == ["one", "two", "three"]
    elsewhere = researched(tmp_path / "calm", "prices", SWEEP, began(), TRIALS, settings)
    assert told.usd == pytest.approx(elsewhere.usd)
    assert told.usd > 0


@pytest.mark.parametrize(
    ("usd", "key", "is_held", "reason"),
    [
        (0.0, KEY, True, "it may cost nothing"),
        (None, "", True, "llm.chutes.ai needs a key; set CHUTES_API_KEY"),
        (None, KEY, False, "what it writes cannot be held here (no seccomp)"),
    ],
)
def test_the_control_works_alone_and_says_why(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    usd: float | None,
    key: str,
    is_held: bool,
    reason: str,
) -> None:
    def refuse() -> None:
        if not is_held:
            raise NotIsolated("no seccomp")

    monkeypatch.setattr(isolation, "check_isolation", refuse)
    monkeypatch.setattr(module, "research", lambda config, folder: _done())
    own = Settings(llm_base_url=settings.llm_base_url, llm_api_key=Secret(key)) if key else Settings.load({})
    told = researched(tmp_path, "prices", SWEEP, began(), Means(trials=3, usd=usd), own)
    assert "; no language model was asked: " + reason in told.sentence
    assert told.sentence.startswith("3 tested")


@pytest.mark.slow
@pytest.mark.parametrize("is_asked", [False, True])
def test_inputs_are_tested_on_the_rehearsed_market(tmp_path: Path, server: RunningStandIn, is_asked: bool) -> None:
    opening = load_pipeline(FILE, [f"folder={tmp_path}", "settings=['data.assets=[BTC]', data.simulated.days=240]"])
    [sweep] = opening.sweeps.values()
    round_, world = _round(sweep, end := int(Rehearsal(opening).now(State())) // DAY * DAY), Rehearsal(opening)
    settings = None
    if is_asked:
        try:
            check_isolation()
        except NotIsolated as error:
            pytest.skip(str(error))
        settings = Settings(llm_base_url=server.url, llm_api_key=Secret(KEY))
        decision = {"name": "seven_hours", "decision": "drop", "reason": "nothing came of it"}
        test = {"source": WAVE, "hypothesis": "every seven hours"}
        calls: list[tuple[str, object]] = [
            ("look_residuals", {"by": ["hour"]}),
            ("test_input", test),
            ("finish", {"decisions": [decision], "summary": "a cycle that is none"}),
        ]
        server.script([{"do": "good", "tool_calls": [{"name": name, "arguments": told}]} for name, told in calls])
    sweep = replace(sweep, config=replace(sweep.config, llm=LLMConfig(models=("*General*",))))
    store = world.store(sweep, State())
    told = researched(tmp_path, store, sweep, round_, Means(trials=2, usd=1.0), settings)
    expected = "by the model, 1 tested, " if is_asked else "2 tested, "
    assert told.sentence.startswith(expected), told.sentence
    assert round_.periods.test.end == end
    assert (told.seconds > 0, told.usd > 0) == (True, is_asked)
    assert (Path(told.folder) / "result.json").is_file()
    assert items(tmp_path / "library")[1] == []


def _round(sweep: Sweep, end: int) -> Any:
    edges = (end - 230 * DAY, end - 40 * DAY, end - 20 * DAY, end)
    spans = {name: Period(start=edges[i], end=edges[i + 1]) for i, name in enumerate(("train", "validation", "test"))}
    return replace(began(), periods=Periods(**spans))


def test_recipes_of_the_library_are_given_to_a_search_and_what_a_model_wrote_is_not(tmp_path: Path) -> None:
    assert recipes_for(tmp_path, began(7)) is None
    shelf = tmp_path / "library"
    kept = add(shelf, "cycle", RECIPE, evidence())
    add(shelf, "written", Origin(source=WAVE), evidence())
    add(shelf, "of an hour", RECIPE, replace(evidence(), competition="crypto-1h"))
    found = recipes_for(tmp_path, began(7))
    assert found is not None
    assert [path.name for path in found.iterdir()] == [kept.name]
    decide(shelf, kept.stem, DROPPED, "an artefact")
    assert recipes_for(tmp_path, began(8)) is None
    assert [path.name for path in found.iterdir()] == [kept.name], "a search that goes on has what it began with"
