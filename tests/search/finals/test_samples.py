from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from synthcity.forecast.baselines import BASELINES, STRONGEST
from synthcity.forecast.evaluation.samples import SAMPLES, read_samples
from synthcity.search.finals import final
from synthcity.search.finals.final import TEST_SCORES
from synthcity.search.finals.samples import keep_samples
from synthcity.search.journal.events import Degraded
from synthcity.search.journal.folder import read_resolved
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from tests.publish.proven import NAME, copy_run, made_data, made_prices


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_run(tmp_path / "run")


def keep(folder: Path, look: final.TestLook) -> list[str]:
    data = made_data(read_resolved(folder), made_prices(), "binance")
    with Journal(folder) as journal:
        recorder = Recorder(journal)
        keep_samples(folder, data, recorder, look, seed=0, count=3)
        return [event["note"] for event in recorder.all(Degraded)]


def test_the_figures_are_those_of_the_look_for_everybody(folder: Path) -> None:
    samples, market = read_samples(folder / SAMPLES)
    look = pd.read_parquet(folder / TEST_SCORES).set_index(["asset", "start_time", "forecaster"])["total"]
    assert samples.challenger == NAME
    assert list(market) == [("BTC", 60)]
    for one in samples.prompts:
        assert set(one.scores) == {NAME, *BASELINES, *(f"{name}+q" for name in STRONGEST)}
        assert all(look[one.asset, one.start_time, name] == score for name, score in one.scores.items())


def test_other_figures_than_those_of_the_look_are_told_and_nothing_is_kept(folder: Path) -> None:
    scores = pd.read_parquet(folder / TEST_SCORES)
    scores["total"] *= 1.01
    [note] = keep(folder, final.TestLook(scores=scores, diagnostics=None, challenger=NAME))
    assert "cannot be published" in note
    assert not (folder / SAMPLES).exists()


def test_nothing_is_kept_of_a_baseline(folder: Path) -> None:
    scores = pd.read_parquet(folder / TEST_SCORES)
    assert keep(folder, final.TestLook(scores=scores, diagnostics=None, challenger=None)) == []
    assert not (folder / SAMPLES).exists()
