from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcity.errors import DataError
from synthcity.forecast.evaluation.compare import lead
from synthcity.lines import LineWriter, read_lines
from synthcity.serve.answering.answer_ledger import SCORES
from synthcity.serve.settlement.challenge import (
    CHALLENGES,
    REFIT,
    TRIAL,
    ChallengeConfig,
    Decision,
    Pair,
    decide,
    judge,
)
from synthcity.serve.settlement.settle import ScoreRecord
from synthcity.sn50.competitions import get_competition

DAY = 86400
START = 20_000 * DAY
HOUR, DAILY = get_competition("crypto-1h"), get_competition("crypto-24h")
LOOKS = ChallengeConfig(looks=(8, 16))


def race(num_days: int, better_by: float = 0.0, *, noise: float = 0.01, a_day: int = 12, seed: int = 0) -> pd.DataFrame:
    """Both bundles on the same prompts; the challenger scores ``better_by`` less, each day with its own luck."""
    rng, rows = np.random.default_rng(seed), []
    for day in range(num_days):
        luck, hard = 1 - better_by + noise * rng.standard_normal(), np.exp(0.3 * rng.standard_normal())
        for k in range(a_day):
            for asset, level in (("BTC", 500.0), ("HYPE", 1500.0)):
                total = level * hard * np.exp(0.2 * rng.standard_normal())
                at = {"asset": asset, "start_time": START + day * DAY + k * (DAY // a_day)}
                rows.append({**at, "bundle": "old", "total": total})
                rows.append({**at, "bundle": "new", "total": total * luck})
    return pd.DataFrame(rows).assign(competition="crypto-1h", fallback=None, time_length=3600)


def write_scores(folder: Path, scores: pd.DataFrame) -> None:
    with LineWriter(folder / SCORES) as lines:
        for number, row in enumerate(scores.to_dict("records")):
            record = ScoreRecord(**row, answer=str(number), sent=True, price_age=1.0, rules="2026-09", reason=None)
            lines.append(asdict(record))


def verdict_of(scores: pd.DataFrame, after_days: float = 100.0, config: ChallengeConfig = LOOKS, **changes: object):
    return decide(scores, "old", "new", HOUR, START + after_days * DAY, config=config, **changes)


def test_a_better_challenger_is_promoted_and_a_worse_one_not():
    better, worse = verdict_of(race(20, 0.03)), verdict_of(race(20, -0.03))
    assert (better.decision, worse.decision) == (Decision.PROMOTE, Decision.KEEP)
    assert "the challenger is better: −" in better.reason
    assert "the challenger is worse: +" in worse.reason
    assert better.lead.num_blocks == 8
    assert better.lead.high < 0 < worse.lead.low


def test_equals_race_to_the_end_and_the_champion_stays():
    found = verdict_of(race(20))
    assert found.decision is Decision.KEEP
    assert found.lead.num_blocks == 16
    assert found.reason.startswith("the race is over and proves nothing")


@pytest.mark.parametrize(
    ("num_days", "reason"),
    [(0, "0 of 8 blocks of 1 days"), (7, "7 of 8 blocks of 1 days"), (15, "nothing is proven; the next look is at 16")],
)
def test_before_and_between_looks_it_is_too_early(num_days, reason):
    scores = race(20)
    found = verdict_of(scores[scores["start_time"] < START + num_days * DAY])
    assert found.decision is Decision.TOO_EARLY
    assert reason in found.reason
    assert found.num_blocks == num_days


def test_between_looks_luck_changes_nothing():
    """A run of lucky days after a look waits for the next one; a verdict once reached stays."""
    later = race(16, 0.05, noise=0.005).query(f"start_time >= {START + 8 * DAY}")
    lucky = pd.concat([race(8, 0.04, noise=0.03, seed=1), later])
    assert verdict_of(lucky, 15.5).decision is Decision.TOO_EARLY
    assert verdict_of(lucky).decision is Decision.PROMOTE
    early = pd.concat([race(8, 0.05), race(20, -0.2).query(f"start_time >= {START + 8 * DAY}")])
    assert verdict_of(early).decision is Decision.PROMOTE


def test_a_day_counts_once_its_last_prompt_can_be_settled():
    scores = race(8, 0.05)
    end = START + 8 * DAY + 3600 + 90
    assert decide(scores, "old", "new", HOUR, end - 1, config=LOOKS).num_blocks == 7
    assert decide(scores, "old", "new", HOUR, end, config=LOOKS).decision is Decision.PROMOTE


def test_blocks_are_two_days_where_windows_overlap():
    scores = race(17, 0.05).assign(competition="crypto-24h", time_length=DAY)
    found = decide(scores, "old", "new", DAILY, START + 100 * DAY, config=LOOKS)
    assert (found.num_blocks, found.decision) == (9, Decision.PROMOTE)


def test_only_prompts_that_both_answered_validly_by_themselves_count():
    scores = race(8, 0.05)
    alone = scores[(scores["bundle"] == "new") | (scores["start_time"] < START + 3 * DAY)]
    assert verdict_of(alone).num_blocks == 3
    assert verdict_of(scores.assign(fallback="the model is slow")).num_blocks == 0
    assert verdict_of(scores.assign(competition="crypto-24h")).num_blocks == 0
    sparse = race(8, 0.05, a_day=2)
    assert verdict_of(sparse).num_blocks == 0
    broken = scores.copy()
    broken.loc[broken["bundle"] == "old", "total"] = -1.0
    assert verdict_of(broken).num_blocks == 0


def test_a_challenger_that_gave_invalid_answers_is_not_promoted():
    scores = race(8, 0.05)
    row = scores.index[scores["bundle"] == "new"][3]
    scores.loc[row, "total"] = -1.0
    found = verdict_of(scores)
    assert found.decision is Decision.KEEP
    assert "better but gave 1 invalid answers or none" in found.reason
    lenient = ChallengeConfig(looks=(8, 16), max_invalid=1)
    assert verdict_of(scores, config=lenient).decision is Decision.PROMOTE


def test_a_challenger_that_failed_to_answer_is_not_promoted():
    scores = race(8, 0.05)
    row = scores.index[scores["bundle"] == "new"][3]
    scores["fallback"] = scores["fallback"].astype(object)
    scores.loc[row, "fallback"] = "failed"
    assert verdict_of(scores).decision is Decision.KEEP
    mirrored = race(8, 0.05)
    mirrored["fallback"] = mirrored["fallback"].astype(object)
    mirrored.loc[mirrored.index[mirrored["bundle"] == "old"][3], "fallback"] = "failed"
    assert verdict_of(mirrored).decision is Decision.PROMOTE, "the champion's failures are not the challenger's"


@pytest.mark.parametrize("bundle", ["old", "new"])
def test_what_a_bundle_was_not_made_for_is_answered_for_it(bundle: str):
    """A champion of one competition gives way to one of two, and not the other way round."""
    scores = race(8, 0.05 if bundle == "old" else -0.05)
    scores["fallback"] = scores["fallback"].astype(object)
    scores.loc[scores["bundle"] == bundle, "fallback"] = "foreign"
    assert verdict_of(scores).decision is (Decision.PROMOTE if bundle == "old" else Decision.KEEP)


def test_the_figures_are_those_of_the_paired_comparison():
    scores = race(8, 0.02, noise=0.005)
    found = verdict_of(scores).lead
    same = lead(scores.rename(columns={"bundle": "forecaster"}), "new", "old", block_days=1)
    assert found.mean == pytest.approx(same.mean, rel=1e-9)
    assert found.by_asset == pytest.approx(same.by_asset)
    assert found.low < same.low < same.high < found.high  # wider, since several looks are taken


def test_a_bucket_that_is_asked_for_often_counts_once():
    scores = race(8, 0.02)
    again = scores[scores["start_time"] % DAY == 0].copy()
    copies = [again.assign(start_time=again["start_time"] + 60 * k) for k in range(1, 9)]
    assert verdict_of(pd.concat([scores, *copies])).lead.mean == pytest.approx(verdict_of(scores).lead.mean, rel=1e-9)


def test_a_verdict_is_written_once(tmp_path):
    write_scores(tmp_path, race(8, 0.05))
    now = START + 100 * DAY
    for _ in range(2):
        assert judge(tmp_path, "old", "new", HOUR, now, config=LOOKS).decision is Decision.PROMOTE
    (event,) = read_lines(tmp_path / CHALLENGES).events
    assert (event["decision"], event["challenger"], event["judged_at"]) == ("promote", "new", now)
    assert json.dumps(event["lead"]["by_asset"])
    with pytest.raises(DataError, match="no settled crypto-1h answer of bundle 'newer'; it has new, old"):
        judge(tmp_path, "old", "newer", HOUR, now)


def test_too_early_leaves_no_verdict(tmp_path):
    write_scores(tmp_path, race(2))
    assert judge(tmp_path, "old", "new", HOUR, START + 100 * DAY).decision is Decision.TOO_EARLY
    assert not (tmp_path / CHALLENGES).exists()


@pytest.mark.parametrize("looks", [(), (7, 16), (8, 8), (16, 8)])
def test_nonsense_looks_are_refused(looks):
    with pytest.raises(ValueError, match="looks must rise from 8 blocks on"):
        ChallengeConfig(looks=looks)
    with pytest.raises(ValueError, match="confidence"):
        ChallengeConfig(confidence=1.0)


def test_a_refit_has_to_be_no_worse_and_no_more():
    """The same race, a little worse: no challenger wins it, a refit of the champion does."""
    scores = race(40, -0.0004, noise=0.0005)
    assert verdict_of(scores).decision is Decision.KEEP
    found = verdict_of(scores, config=REFIT)
    assert (found.decision, found.margin) == (Decision.PROMOTE, 0.1)
    assert "no worse than by 0.1 %" in found.reason
    assert verdict_of(race(40, -0.05), config=REFIT).decision is Decision.KEEP
    assert Pair("a", "b").config == ChallengeConfig()
    assert Pair("a", "b", is_refit=True).config == REFIT
    assert Pair("a", "b", is_refit=True, on_trial=True).config == TRIAL
    with pytest.raises(ValueError, match="margin must be a percent"):
        ChallengeConfig(margin=-1.0)


def test_on_trial_a_slight_lead_that_would_do_does_not():
    scores = race(40, 0.004)
    assert verdict_of(scores).decision is Decision.PROMOTE
    found = verdict_of(scores, config=TRIAL)
    assert (found.decision, found.margin) == (Decision.KEEP, 0.0)
    assert verdict_of(race(40, 0.05), config=TRIAL).decision is Decision.PROMOTE
