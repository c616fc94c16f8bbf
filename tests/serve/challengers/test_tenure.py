"""Who answers, since when, and what champion and challenger earned."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest

from synthcity.durations import DAY
from synthcity.errors import RunError
from synthcity.lines import LineWriter
from synthcity.serve.challengers.tenure import RANKS, Place, read_tenure, work_out_places
from synthcity.serve.settlement.settle import ScoreRecord
from synthcity.serve.settlement.succession import Succession

START = 1_761_955_200  # 2025-11-01
NOW = START + 5.0 * DAY


def scored(bundle: str, start: int, total: float, *, asset: str = "BTC", fallback: str | None = None) -> ScoreRecord:
    """A settled answer of a day ahead, from the shadow as far as it tells."""
    return ScoreRecord(
        answer=f"{bundle}-{asset}-{start}",
        asset=asset,
        start_time=start,
        time_length=DAY,
        bundle=bundle,
        sent=bundle == "baseline:fhs",
        fallback=fallback,
        price_age=0.0,
        competition="crypto-24h",
        rules="2026-09",
        total=total,
        reason=None,
    )


def settle(state: Path, *records: ScoreRecord) -> None:
    with LineWriter(state / "ledger" / "scores.jsonl") as lines:
        for record in records:
            lines.append(asdict(record))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    Succession(named="fhs", challenger="har", champion="fhs", reason="by hand", since=START).write(tmp_path)
    return tmp_path


def test_where_nobody_answers_there_is_nothing(tmp_path: Path) -> None:
    assert read_tenure(tmp_path, NOW) is None


def test_both_are_averaged_over_the_prompts_that_both_answered(state: Path) -> None:
    settle(
        state,
        scored("baseline:fhs", START, 1000.0),
        scored("baseline:har", START, 900.0),
        scored("baseline:fhs", START + DAY, 2000.0),
        scored("baseline:har", START + DAY, 100.0, fallback="late"),
    )
    found = read_tenure(state, NOW)
    assert found is not None
    assert (found.champion, found.challenger, found.since, found.reason) == ("fhs", "har", START, "by hand")
    assert [(one.role, one.average, one.answers) for one in found.earned] == [
        ("champion", 1000.0, 1),
        ("challenger", 900.0, 1),
    ]
    assert [(one.competition, one.decision) for one in found.races] == [("crypto-24h", "too early")]
    assert not found.on_trial
    succession = Succession.read(state)
    assert succession is not None
    replace(succession, on_trial=True).write(state)
    again = read_tenure(state, NOW)
    assert again is not None
    assert again.on_trial


def test_a_champion_alone_is_averaged_over_all(state: Path) -> None:
    Succession(named="fhs", challenger="har", champion="har", reason="it won").write(state)
    settle(state, scored("baseline:fhs", START, 1000.0), scored("baseline:har", START, 900.0))
    settle(state, scored("baseline:har", START + DAY, 700.0))
    found = read_tenure(state, NOW)
    assert found is not None
    assert (found.champion, found.challenger, found.races) == ("har", "", ())
    assert [(one.role, one.average) for one in found.earned] == [("champion", 800.0)]


class Api:
    """Public scores of two other miners."""

    def __init__(self) -> None:
        self.asked = 0

    def scores(self, asset: str, competition: object, start: int, end: int) -> pd.DataFrame:
        self.asked += 1
        rows = [(asset, at, miner, 950.0 + 100 * miner) for at in (START, START + DAY) for miner in range(2)]
        return pd.DataFrame(rows, columns=["asset", "start_time", "miner", "total"])


def test_ranks_are_kept_beside_the_ledger(state: Path) -> None:
    settle(state, *(scored("baseline:fhs", START + at * DAY, 1000.0) for at in range(2)))
    settle(state, *(scored("baseline:har", START + at * DAY, 900.0) for at in range(2)))
    settle(state, scored("baseline:har", START + DAY + 60, 1.0), scored("baseline:har", START, 2.0, fallback="late"))
    api = Api()
    places = work_out_places(state, api, NOW)  # type: ignore[arg-type]
    assert api.asked == 1, "once for both"
    assert [(one.role, one.rank, one.num_miners) for one in places] == [("champion", 2, 3), ("challenger", 1, 3)]
    found = read_tenure(state, NOW)
    assert found is not None
    assert [one.place for one in found.earned] == places
    Succession(named="ewma", challenger="fhs", champion="ewma", reason="").write(state)
    found = read_tenure(state, NOW)
    assert found is not None
    assert [one.place and (one.place.role, one.place.rank) for one in found.earned] == [("challenger", 2)]


PLACE = asdict(Place(role="champion", bundle="b", competition="c", rank=1, num_miners=2, time=0.0))


@pytest.mark.parametrize(
    "text",
    ["{", "{}", "null", "[1]", '[{"role": 1}]', "[" * 100_000]
    + [json.dumps([PLACE | wrong]) for wrong in ({"bundle": []}, {"rank": "1"}, {"time": None})],
)
def test_damaged_ranks_are_one_sentence(state: Path, text: str) -> None:
    (state / RANKS).write_text(text)
    with pytest.raises(RunError, match="holds no ranks"):
        read_tenure(state, NOW)
    (state / RANKS).write_text(json.dumps([PLACE]))
    assert read_tenure(state, NOW) is not None
