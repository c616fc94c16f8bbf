"""The level of a look, against baselines and champion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcity.durations import DAY
from synthcity.forecast.bundles.combine import combine
from synthcity.pipeline.steps import checking as module
from synthcity.pipeline.steps.checking import CHAMPION, Look, examine, judge, winner_of
from synthcity.search.finals.final import read_scores
from synthcity.search.report.outcome import leads_over
from synthcity.settings import Settings
from synthcity.sn50.competitions import get_competition
from tests.pipeline.standin import began
from tests.publish.proven import NAME, config, copy_run, made_data, made_prices, make_run

SETTINGS = Settings.load({})


def look(lead: float, *, days: int = 32, noise: float = 0.006, seed: int = 0) -> Look:
    """Scores of a day's prompts over so many days, ``lead`` (a fraction) better than fhs."""
    rng, rows = np.random.default_rng(seed), []
    for day in range(days):
        luck = noise * rng.standard_normal()
        for hour in range(0, 24, 6):
            total, at = (
                100 * np.exp(0.2 * rng.standard_normal()),
                {"asset": "BTC", "start_time": day * DAY + hour * 3600},
            )
            rows += [{**at, "forecaster": "fhs", "total": total}]
            rows += [{**at, "forecaster": "new", "total": total * (1 - lead + luck)}]
    return Look(scores=pd.DataFrame(rows), name="new", rivals=["fhs"], weights={"BTC": 1.0}, block_days=1)


def test_a_clear_lead_passes_at_any_level_and_a_slight_one_at_the_first_alone() -> None:
    assert judge(look(0.05), began(look=50), "b").passed
    slight = look(0.002)
    first, later = judge(slight, began(look=1), "b"), judge(slight, began(look=20), "b")
    assert (first.passed, later.passed) == (True, False)
    assert first.reason.startswith("better than all it has to beat, the closest by -0.")
    assert later.reason.startswith("nothing is proven, and it may race")
    assert later.leads["fhs"].high is not None


def test_an_equal_does_not_pass() -> None:
    assert not judge(look(0.0), began(), "b").passed
    assert not judge(look(0.0, seed=1), began(), "b").on_trial


def test_what_leads_and_proves_nothing_may_race_without_a_claim() -> None:
    slight = look(0.002)
    late = judge(slight, began(look=40), "b")
    assert (late.passed, late.on_trial) == (False, True)
    assert "may race without a claim: -0." in late.reason
    assert "90.00 % interval" in late.reason
    refused = judge(slight, began(look=1), "b", against="it proves nothing: over ewma")
    assert (refused.passed, refused.on_trial) == (False, True), "no claim, since the gate refuses it"
    assert not judge(slight, began(look=1), "b").on_trial, "what passed needs no trial"


def test_what_the_champion_does_not_answer_counts_against_baselines() -> None:
    """It is of one asset of two, and the new one, which beats it there, is worse than fhs at the other."""
    one, other = look(0.05), look(-0.2, seed=1)
    champion = one.scores[one.scores["forecaster"] == "fhs"].assign(forecaster=CHAMPION)
    rest = other.scores.assign(asset="ETH")
    scores = pd.concat([one.scores, rest, champion], ignore_index=True)
    both = replace(one, scores=scores, rivals=["fhs", CHAMPION], weights={"BTC": 1.0, "ETH": 1.0})
    found = judge(both, began(), "b")
    assert found.leads[CHAMPION].mean == pytest.approx(judge(one, began(), "b").leads["fhs"].mean)
    assert found.leads["fhs"].mean > 5
    assert not found.passed


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return copy_run(tmp_path / "run")


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate's own fresh process is tested where the gate is."""
    monkeypatch.setattr("synthcity.publish.checks.scored_again", lambda found, with_code: "")
    monkeypatch.setattr(module, "load_prices", lambda data, assets, resolution, end: made_prices())


@pytest.mark.slow
def test_made_up_prices_pass_in_a_rehearsal_alone(run: Path, tmp_path: Path) -> None:
    hour = began(competition="crypto-1h")
    assert "it is no rehearsal" in examine(run, hour, config(run), SETTINGS, is_rehearsal=True).reason
    made_up = make_run(tmp_path / "made-up", venue="simulated")
    assert "SIMULATED" in examine(made_up, hour, config(made_up), SETTINGS, is_rehearsal=False).reason
    assert examine(made_up, hour, config(made_up), SETTINGS, is_rehearsal=True).passed


@pytest.mark.slow
def test_the_champion_answers_the_same_prompts_and_has_to_be_beaten(run: Path, tmp_path: Path) -> None:
    hour = began(competition="crypto-1h")
    assert (
        "the champion itself"
        in examine(run, replace(hour, rival=str(winner_of(run))), config(run), SETTINGS, is_rehearsal=False).reason
    )
    found = examine(run, replace(hour, rival="fhs"), config(run), SETTINGS, is_rehearsal=False)
    assert found.passed, found.reason
    told = {name: one["mean"] for name, one in leads_over(read_scores(run), NAME, {"BTC": 1.0}, 1).items()}
    strongest = max(told, key=lambda name: told[name])
    assert set(found.leads) == {strongest, CHAMPION}, "the best baseline and the champion; of the others 95 % is asked"
    assert found.leads[strongest].mean == pytest.approx(told[strongest])
    assert found.leads[CHAMPION].mean == pytest.approx(told["fhs"])
    assert get_competition("crypto-1h").time_length == 3600


def test_a_champion_answers_what_it_was_made_for_maybe_nothing(tmp_path: Path) -> None:
    own = config(tmp_path / "run")
    asked = made_data(own, made_prices(), "binance").test_prompts()[:2]
    scores = pd.DataFrame([{"asset": one.asset, "start_time": one.start_time, "forecaster": NAME} for one in asked])
    combine(tmp_path / "day", ["crypto-24h:BTC=fhs"])
    combine(tmp_path / "hour", ["crypto-1h:BTC=fhs"])
    hour = began(competition="crypto-1h", rival=str(tmp_path / "day"))
    assert module._answered(scores, hour, own).empty, "a miner's champion may be of another competition"
    found = module._answered(scores, replace(hour, rival=str(tmp_path / "hour")), own)
    assert list(found["start_time"]) == [one.start_time for one in asked]
