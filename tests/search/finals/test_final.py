"""The order of the final protocol, with scores that are given instead of computed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthcity.authored.examples import FHS
from synthcity.authored.forecaster import AuthoredForecaster, ForecasterSource
from synthcity.errors import BundleError, RunError
from synthcity.forecast.baselines import BASELINES, Fhs
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.bundles.facts import Facts
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.named import Named
from synthcity.forecast.quantise import MARK
from synthcity.forecast.weights import PairTerms
from synthcity.market.periods import Periods
from synthcity.research.informed.forecaster import Informed
from synthcity.search.config import BudgetConfig
from synthcity.search.finals import contenders, final
from synthcity.search.finals.final import run_final, score_baselines
from synthcity.search.finals.scoring import OwnRow, PairRow
from synthcity.search.journal.events import Chosen, Contenders, Degraded, FinalistTold, MixTold, SeenTest, Winner
from synthcity.search.journal.history import TrialRecord
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.sn50.competitions import get_competition, get_rules
from tests.research.informed.conftest import WAVES
from tests.research.informed.test_forecaster import by_hand
from tests.search.builders import candidate, tell
from tests.search.order import assert_before, recorded

DAY = 86400
BASE = {"reference": 110.0, "trailing": 105.0, "ewma": 103.0, "fhs-plain": 101.0, "har": 102.0, "fhs": 100.0}


BUDGET = BudgetConfig(finalists=3, final_seeds=1)
LOST = set[str]()  # trials whose checkpoints are gone


class Killed(BaseException):
    """What ends a process in the middle of a stage."""


class Net(Named):
    """Stands for a trained network: has a name of its own and saves as a bundle."""

    def __init__(self, name: str) -> None:
        super().__init__(Fhs(), name)

    def save(self, folder: Path, **extras: Any) -> None:
        Fhs().save(folder, **extras)


class GivenScores:
    """A scorer that knows everyone's score, and dies on demand before a stage."""

    def __init__(self, folder: Path, recorder: Recorder, scores: dict[str, float], weights: list[float]) -> None:
        self.folder, self.recorder, self.given, self.weights = folder, recorder, {**BASE, **scores}, weights
        self.calls: list[str] = []
        self.workers, self.seconds, self.lost = 2, 0.0, {"ewma: it never moved": 1}
        self.seeds: dict[str, list[int]] = {"mix": [], "fresh": [], "test": []}
        self.die_in = ""
        self.noise = 0.0  # of the mix, from block to block

    def _enter(self, stage: str) -> None:
        if self.die_in == stage:
            raise Killed
        self.calls.append(stage)

    def pair_terms(self, forecasters: Sequence[Forecaster], prompts: list[str], *, seed: int) -> list[PairRow]:
        self._enter("mix")
        self.seeds["mix"].append(seed)
        assert prompts == ["seen"]
        # equal diagonals and a distance of 1: the solution puts the wanted weights on the members
        wanted = np.array(self.weights[: len(forecasters)])
        apart = np.ones((len(wanted), len(wanted))) - np.eye(len(wanted))
        terms = PairTerms(100.0 + apart @ wanted, apart)
        return [PairRow(asset="BTC", start=day * 2 * DAY, terms=terms, weight=1.0) for day in range(8)]

    def own_scores(self, forecasters: Sequence[Forecaster], prompts: list[str], *, seed: int) -> list[OwnRow]:
        self._enter("baselines")
        assert prompts == ["seen"]
        found = 100.0 + np.arange(len(forecasters), dtype=float)
        return [
            OwnRow(asset=asset, start=6 * hour * 3600, scores=found + extra, weight=weight)
            for hour, (asset, extra, weight) in enumerate([("BTC", 0.0, 3.0), ("ETH", 4.0, 1.0)])
        ]

    def scores(self, forecasters: Sequence[Forecaster], prompts: list[str], *, seed: int) -> pd.DataFrame:
        self._enter("fresh")
        self.seeds["fresh"].append(seed)
        assert prompts == ["fresh"]
        return self._table(forecasters)

    def scores_and_diagnostics(
        self, forecasters: Sequence[Forecaster], prompts: list[str], *, seed: int, rival: str
    ) -> tuple[pd.DataFrame, Any]:
        self._enter("test")
        assert rival in {entry.name for entry in forecasters}
        assert rival.endswith(MARK), "what is frozen answers with quantised paths, so its rival does"
        self.seeds["test"].append(seed)
        assert prompts == ["test"]
        assert self.recorder.last(Winner), "the test was looked at before the winner was frozen"
        load(self.folder / "winner", trust_code=True)
        return self._table(forecasters), SimpleNamespace(result=lambda: {"num_prompts": 2})

    def _score(self, name: str) -> float:
        return self.given[name.removesuffix(" plain").removesuffix("+q")]

    def _table(self, forecasters: Sequence[Forecaster]) -> pd.DataFrame:
        rows = [
            {"asset": asset, "start_time": day * 2 * DAY, "forecaster": entry.name, "total": total}
            for entry in forecasters
            for asset in ("BTC", "ETH")
            for day in range(8)
            for total in [self._score(entry.name) + (self.noise if day % 2 else -self.noise) * (entry.name == "mix")]
        ]
        return pd.DataFrame(rows)


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    def rebuilt(record: TrialRecord, path: str, storage: str, inputs: Informed | None) -> Net:
        if record.id in LOST:
            raise BundleError(f"the checkpoint {path} of trial {record.id} is lost (No such file)")
        return Net(record.id)

    LOST.clear()
    monkeypatch.setattr(contenders.Finalist, "from_checkpoint", rebuilt)
    with Journal(tmp_path) as journal:
        recorder = Recorder(journal)
        for index, score in enumerate([97.0, 96.0, 99.0, 98.0]):
            for event in tell(candidate(index), score):
                recorder.emit(event.pop("kind"), **{k: v for k, v in event.items() if k != "time"})
            recorder.emit("checkpoint", id=candidate(index).id, path="trials-1/x")
        yield recorder


def data(inputs: Informed | None) -> Any:
    periods = {
        "train": ["2025-01-01", "2025-02-01"],
        "validation": ["2025-02-01", "2025-03-01"],
        "test": ["2025-03-01", "2025-04-01"],
    }
    return SimpleNamespace(
        competition=get_competition("crypto-24h"),
        rules=get_rules(),
        facts=Facts.of_search(
            venues=["files"], competition="crypto-24h", rules="2026-09", assets=["BTC"], periods=Periods.parse(periods)
        ),
        validation_prompts=lambda *, fresh: ["fresh"] if fresh else ["seen"],
        test_prompts=lambda: ["test"],
        inputs=inputs,
    )


def run(
    recorder: Recorder, scorer: GivenScores, budget: BudgetConfig = BUDGET, inputs: Informed | None = None
) -> final.TestLook:
    return run_final(
        recorder=recorder,
        data=data(inputs),
        scorer=scorer,  # type: ignore[arg-type]
        folder=scorer.folder,
        storage="",
        budget=budget,
        refit=lambda records, seconds: {record.id: Net(record.id) for record in records},
    )


SCORES = {"c0001": 97.0, "c0000": 96.5, "c0003": 98.0}


def test_fresh_prompts_decide_and_not_the_score_of_the_search(tmp_path: Path, recorder: Recorder) -> None:
    look = run(recorder, GivenScores(tmp_path, recorder, {**SCORES, "mix": 99.0}, [0.5, 0.3, 0.2]))
    winner = recorder.last(Chosen)
    assert winner is not None
    assert (winner["name"], winner["challenger"], winner["best_single"]) == ("c0000", "c0000", "c0000")
    assert set(look.scores["forecaster"]) == {"c0000", "c0000 plain", "fhs+q", "har+q", *BASELINES}
    assert {event["name"] for event in recorder.all(FinalistTold)} == {"c0001", "c0000", "c0003", "mix", *BASELINES}


def test_a_better_mix_wins_and_is_saved_with_its_weights(tmp_path: Path, recorder: Recorder) -> None:
    look = run(recorder, GivenScores(tmp_path, recorder, {**SCORES, "mix": 96.0}, [0.7, 0.295, 0.005]))
    event = recorder.last(MixTold)
    assert event is not None
    assert event["members"] == ["c0001", "c0000"]  # the third was worth five paths of a thousand
    assert sum(event["weights"]) == pytest.approx(1.0)
    assert look.challenger == "mix"
    assert set(look.scores["forecaster"]) == {"mix", "mix plain", "c0000", "fhs+q", "har+q", *BASELINES}
    saved = load(tmp_path / "winner")
    assert saved.name == "mix+q"
    assert list(saved.forecaster.weights) == pytest.approx(event["weights"])  # type: ignore[attr-defined]


def test_noise_does_not_choose_a_network_over_the_mix(tmp_path: Path, recorder: Recorder) -> None:
    scorer = GivenScores(tmp_path, recorder, {**SCORES, "mix": 96.6}, [0.5, 0.3, 0.2])
    scorer.noise = 5.0
    assert run(recorder, scorer).challenger == "mix"


def test_a_mix_that_loses_to_a_baseline_stands_back(tmp_path: Path, recorder: Recorder) -> None:
    scorer = GivenScores(tmp_path, recorder, {**SCORES, "mix": 100.1}, [0.5, 0.3, 0.2])
    scorer.noise = 5.0
    run(recorder, scorer)
    winner = recorder.last(Chosen)
    assert winner is not None
    assert (winner["name"], winner["challenger"]) == ("c0000", "c0000")


def test_a_mix_of_one_is_no_contender(tmp_path: Path, recorder: Recorder) -> None:
    run(recorder, GivenScores(tmp_path, recorder, SCORES, [1.0, 0.0, 0.0]))
    assert "mix" not in {event["name"] for event in recorder.all(FinalistTold)}


@pytest.mark.parametrize(("weights", "members"), [([0.6, 0.0, 0.0, 0.4], 2), ([0.0, 0.0, 0.0, 1.0], 1)])
def test_kept_inputs_take_part_in_the_mix_and_stand_in_its_bundle(
    tmp_path: Path, recorder: Recorder, weights: list[float], members: int
) -> None:
    scorer = GivenScores(tmp_path, recorder, {**SCORES, "mix": 96.0}, weights)
    look = run(recorder, scorer, inputs=by_hand())
    event = recorder.last(MixTold)
    assert event is not None
    assert event["members"][-1] == "har-inputs"
    assert len(event["members"]) == members
    assert look.challenger == "mix"
    saved = load(tmp_path / "winner")
    (last,) = saved.forecaster.parts[-1:]  # type: ignore[attr-defined]
    assert isinstance(last, Informed)
    assert last.inputs[0].kept == WAVES


def test_a_kept_forecaster_takes_part_by_its_name_and_its_text_is_code_of_the_winner(
    tmp_path: Path, recorder: Recorder
) -> None:
    forecaster = AuthoredForecaster(ForecasterSource.of(FHS))
    forecaster.save(tmp_path / "forecasters" / "written-fhs-0a1b2c")
    used = [{"name": "written-fhs-0a1b2c", "made_by": "forecaster", "sha256": forecaster.source.sha256}]
    recorder.emit("forecasters", forecasters=used, seconds=1.0)
    run(recorder, GivenScores(tmp_path, recorder, {**SCORES, "mix": 96.0}, [0.6, 0.0, 0.0, 0.4]))
    event = recorder.last(MixTold)
    assert event is not None
    assert event["members"][-1] == "written-fhs-0a1b2c"
    with pytest.raises(BundleError, match=r"members/0/members/1/code/0.py \(forecaster written_fhs\)"):
        load(tmp_path / "winner")
    saved = load(tmp_path / "winner", trust_code=True)
    assert saved.forecaster.parts[-1].source == forecaster.source  # type: ignore[attr-defined]


def test_a_baseline_that_is_best_is_the_winner(tmp_path: Path, recorder: Recorder) -> None:
    scores = {name: 101.0 + index for index, name in enumerate([*SCORES, "mix"])}
    look = run(recorder, GivenScores(tmp_path, recorder, scores, [0.5, 0.3, 0.2]))
    winner = recorder.last(Chosen)
    assert winner is not None
    assert (winner["name"], winner["challenger"], winner["best_baseline"]) == ("fhs", "c0001", "fhs")
    assert load(tmp_path / "winner").name == "fhs+q"
    assert look.challenger == "c0001"


@pytest.mark.parametrize("stage", ["mix", "fresh", "test"])
def test_a_killed_final_goes_on_where_it_was(tmp_path: Path, recorder: Recorder, stage: str) -> None:
    scorer = GivenScores(tmp_path, recorder, {**SCORES, "mix": 96.0}, [0.5, 0.3, 0.2])
    scorer.die_in = stage
    with pytest.raises(Killed):
        run(recorder, scorer)
    scorer.die_in = ""
    run(recorder, scorer)
    assert scorer.calls == ["mix", "fresh", "test"]
    first = run(recorder, scorer)
    assert scorer.calls == ["mix", "fresh", "test"], "nothing is computed twice, least of all the test"
    assert first.challenger == "mix"
    seen = recorder.last(SeenTest)
    assert seen is not None
    assert seen["lost"] == {"ewma: it never moved": 1}
    assert first.diagnostics == {"num_prompts": 2}


def test_lost_test_scores_are_not_computed_again(tmp_path: Path, recorder: Recorder) -> None:
    scorer = GivenScores(tmp_path, recorder, {**SCORES, "mix": 96.0}, [0.5, 0.3, 0.2])
    run(recorder, scorer)
    (tmp_path / "test_scores.parquet").write_bytes(b"")
    with pytest.raises(RunError, match="the test is not looked at twice"):
        run(recorder, scorer)


def test_baselines_are_scored_once(tmp_path: Path, recorder: Recorder) -> None:
    scorer = GivenScores(tmp_path, recorder, {}, [1 / len(BASELINES)] * len(BASELINES))
    for _ in range(2):
        score_baselines(recorder, data(None), scorer, seed=0)  # type: ignore[arg-type]
    assert scorer.calls == ["baselines"]
    assert recorder.history.baselines == {name: 101.0 + at for at, name in enumerate(BASELINES)}
    assert recorder.history.baseline_slices["scores_by_asset"] == {"BTC": 100.0, "ETH": 104.0}


def test_a_score_whose_state_was_never_saved_is_no_finalist(tmp_path: Path, recorder: Recorder) -> None:
    for event in tell(candidate(4), 90.0):
        recorder.emit(event.pop("kind"), **{k: v for k, v in event.items() if k != "time"})
    run(recorder, GivenScores(tmp_path, recorder, {**SCORES, "mix": 96.0}, [0.5, 0.3, 0.2]))
    assert {event["name"] for event in recorder.all(FinalistTold)} >= {"c0000", "c0001", "c0003"}
    assert recorder.history.scored[0].candidate.id == "c0004"
    assert "c0004" not in {event["name"] for event in recorder.all(FinalistTold)}


def test_every_draw_of_the_finals_has_noise_of_its_own(tmp_path: Path, recorder: Recorder) -> None:
    scorer = GivenScores(tmp_path, recorder, {**SCORES, "mix": 96.0}, [0.5, 0.3, 0.2])
    run(recorder, scorer, BudgetConfig(finalists=3, final_seeds=3, seed=7))
    assert scorer.seeds == {"mix": [7], "fresh": [7001, 7002, 7003], "test": [7000]}


def test_the_finalists_are_told_once_and_a_resume_keeps_to_them(tmp_path: Path, recorder: Recorder) -> None:
    scorer = GivenScores(tmp_path, recorder, {**SCORES, "mix": 96.0}, [0.5, 0.3, 0.2])
    scorer.die_in = "fresh"
    with pytest.raises(Killed):
        run(recorder, scorer, BudgetConfig(finalists=2, final_seeds=1))
    scorer.die_in = ""
    run(recorder, scorer)
    (told,) = recorder.all(Contenders)
    assert told["ids"] == ["c0001", "c0000"]
    assert set(recorder.history.finals.scores) == {"c0001", "c0000", "mix", *BASELINES}


def test_what_was_frozen_is_looked_at_and_nothing_is_trained_after_it(tmp_path: Path, recorder: Recorder) -> None:
    scorer = GivenScores(tmp_path, recorder, {**SCORES, "mix": 96.0}, [0.5, 0.3, 0.2])
    allowed: list[float | None] = []

    def refit(records: Sequence[TrialRecord], seconds: float | None) -> dict[str, Forecaster]:
        allowed.append(seconds)
        return {record.id: Net(record.id) for record in records}

    scorer.die_in = "test"
    for _ in range(2):
        with contextlib.suppress(Killed):
            run_final(
                recorder=recorder,
                data=data(None),
                scorer=scorer,  # type: ignore[arg-type]
                folder=tmp_path,
                storage="",
                budget=BUDGET,
                refit=refit,
            )
        scorer.die_in = ""
    assert allowed == [None, 0.0]


def test_an_extended_run_holds_its_finals_again_and_counts_its_looks(tmp_path: Path, recorder: Recorder) -> None:
    scorer = GivenScores(tmp_path, recorder, {**SCORES, "mix": 96.0}, [0.5, 0.3, 0.2])
    run(recorder, scorer)
    recorder.emit("search_finished", utilisation=None)
    recorder.emit("run_extended", trials=8, looks=1)
    for event in [*tell(candidate(4), 90.0), {"kind": "checkpoint", "id": "c0004", "path": "x"}]:
        recorder.emit(event["kind"], **{k: v for k, v in event.items() if k not in ("kind", "time")})
    scorer.given["c0004"] = 90.0
    scorer.given["mix"] = 95.0
    look = run(recorder, scorer)
    assert look.challenger == "c0004"
    assert recorder.history.looks == 2
    assert recorder.history.finals.winner == "c0004"
    assert recorder.all(Contenders)[-1]["ids"] == ["c0004", "c0001", "c0000"]


def test_what_the_time_budget_cost_stands_in_the_bundle_too(tmp_path: Path, recorder: Recorder) -> None:
    recorder.emit("degraded", note="The finals were cut.", cut=True)
    recorder.emit("degraded", note="Other versions.")
    run(recorder, GivenScores(tmp_path, recorder, {**SCORES, "mix": 96.0}, [0.5, 0.3, 0.2]))
    manifest = json.loads((tmp_path / "winner" / "manifest.json").read_text())
    assert "The finals were cut." in json.dumps(manifest)
    assert "Other versions." not in json.dumps(manifest)
    load(tmp_path / "winner")


@pytest.mark.parametrize("stage", ["fresh", "test"])
def test_a_finalist_that_is_lost_is_replaced_and_told_before_anybody_looks(
    tmp_path: Path, recorder: Recorder, stage: str
) -> None:
    scorer = GivenScores(tmp_path, recorder, {**SCORES, "c0002": 99.0, "mix": 96.0}, [0.5, 0.3, 0.2])
    trained = stage == "fresh"

    def refit(records: Sequence[TrialRecord], seconds: float | None) -> dict[str, Forecaster]:
        return {record.id: Net(record.id) for record in records} if trained else {}

    def go() -> final.TestLook:
        return run_final(
            recorder=recorder,
            data=data(None),
            scorer=scorer,  # type: ignore[arg-type]
            folder=tmp_path,
            storage="",
            budget=BUDGET,
            refit=refit,
        )

    scorer.die_in = stage
    with pytest.raises(Killed):
        go()
    scorer.die_in = ""
    LOST.add("c0000")
    go()
    (held_again,) = recorder.all(Contenders)
    assert held_again["ids"] == ["c0001", "c0003", "c0002"]
    (told,) = (event for event in recorder.all(Degraded) if event.get("lost"))
    assert "trial c0000" in told["note"]
    assert "trial c0002 takes its place" in told["note"]
    assert scorer.calls.count("test") == 1
    assert scorer.calls.count("mix") == 2, "the finals were held again without it"
    assert "c0000" not in recorder.history.finals.scores
    assert json.dumps(told["note"]) in (tmp_path / "winner" / "manifest.json").read_text()


def test_after_the_choice_a_network_that_is_trained_again_needs_no_checkpoint(
    tmp_path: Path, recorder: Recorder
) -> None:
    scorer = GivenScores(tmp_path, recorder, {**SCORES, "mix": 96.0}, [0.5, 0.3, 0.2])
    scorer.die_in = "test"
    with pytest.raises(Killed):
        run(recorder, scorer)
    scorer.die_in = ""
    LOST.update(SCORES)
    assert run(recorder, scorer).challenger == "mix"
    assert recorder.all(Degraded) == []


def test_when_all_checkpoints_are_lost_nothing_is_looked_at(tmp_path: Path, recorder: Recorder) -> None:
    LOST.update(["c0000", "c0001", "c0002", "c0003"])
    with pytest.raises(RunError, match=r"trials-1/x of trial c0001 is lost .* put the checkpoints back .* --resume"):
        run(recorder, GivenScores(tmp_path, recorder, SCORES, [1.0]))
    assert recorder.last(SeenTest) is None
    LOST.clear()
    run(recorder, GivenScores(tmp_path, recorder, {**SCORES, "mix": 99.0}, [0.5, 0.3, 0.2]))


def test_winner_and_test_scores_are_told_once_they_are_on_the_disk(
    tmp_path: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = recorded(recorder, monkeypatch)
    run(recorder, GivenScores(tmp_path, recorder, {**SCORES, "mix": 99.0}, [0.5, 0.3, 0.2]))
    draft = tmp_path / ".winner.tmp"
    assert_before(told, "winner", draft / "manifest.json", draft, tmp_path)
    since = told[told.index("winner") + 1 :]
    assert_before(since, "test_scored", tmp_path / ".test_scores.parquet.tmp", tmp_path)
    assert_before(since, "test_scored", tmp_path / ".diagnostics.json.tmp", tmp_path)
