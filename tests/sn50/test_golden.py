"""The network's own numbers: totals, interval sums and prompt scores under both sets of rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthcity.sn50.competitions import get_rules
from synthcity.sn50.leaderboard import prompt_scores
from synthcity.sn50.scoring import crps, network_score, terms

FOLDER = Path(__file__).parent / "data"
GOLDEN: dict[str, Any] = json.loads((FOLDER / "scoring.json").read_text(encoding="utf-8"))
DATES = ("2026-05", "2026-09")
CASES = [pytest.param(case, date, id=f"{case['name']}-{date}") for case in GOLDEN["cases"] for date in DATES]

with np.load(FOLDER / "scoring.npz") as archive:
    ARRAYS = {name: archive[name] for name in archive.files}


def answer_of(case: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    return ARRAYS[f"{case['name']}_paths"], ARRAYS[f"{case['name']}_real"]


@pytest.mark.parametrize(("case", "date"), CASES)
def test_score_equals_the_network(case: dict[str, Any], date: str) -> None:
    result = network_score(*answer_of(case), case["competition"], get_rules(date))
    expected = case["expected"][date]
    assert result.total == pytest.approx(expected["total"], rel=1e-9, abs=0)
    for name, value in expected["intervals"].items():
        assert result.intervals[name] == pytest.approx(value, rel=1e-9, abs=0), name
    if expected["intervals"]:
        assert set(result.intervals) == set(expected["intervals"])
    else:
        assert np.isnan(list(result.intervals.values())).all()


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("competition", ["crypto-24h", "com-equ-24h", "crypto-1h"])
def test_batches_equal_the_network(competition: str, date: str) -> None:
    cases = [case for case in GOLDEN["cases"] if case["competition"] == competition and case["name"] != "flat"]
    paths = np.stack([answer_of(case)[0] for case in cases])[:, None]
    realised = np.stack([answer_of(case)[1] for case in cases])[:, None]
    result = network_score(paths, realised, competition, get_rules(date))
    totals = [case["expected"][date]["total"] for case in cases]
    np.testing.assert_allclose(result.total, np.array(totals)[:, None], rtol=1e-9)
    for index, case in enumerate(cases):
        for name, value in case["expected"][date]["intervals"].items():
            assert result.intervals[name][index, 0] == pytest.approx(value, rel=1e-9, abs=0)


@pytest.mark.parametrize(("case", "date"), [case for case in CASES if "zero_price" not in str(case.id)])
def test_terms_add_up_to_the_total(case: dict[str, Any], date: str) -> None:
    gathered = terms(*answer_of(case), case["competition"], get_rules(date))
    scores = crps(gathered.ensemble, gathered.observed)
    assert gathered.weights @ scores == pytest.approx(case["expected"][date]["total"], rel=1e-9)
    for name in set(gathered.labels):
        interval = scores[gathered.labels == name].sum()
        assert interval == pytest.approx(case["expected"][date]["intervals"][name], rel=1e-9)


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("index", range(len(GOLDEN["prompt_scores"])))
def test_prompt_scores_equal_the_network(index: int, date: str) -> None:
    case = GOLDEN["prompt_scores"][index]
    result = prompt_scores(case["scores"], get_rules(date))
    if case["expected"][date] is None:
        assert result is None
    else:
        np.testing.assert_allclose(result, case["expected"][date], rtol=1e-12)


def test_coefficients_equal_the_network() -> None:
    assert dict(get_rules("2026-09").coefficients) == GOLDEN["coefficients"]
