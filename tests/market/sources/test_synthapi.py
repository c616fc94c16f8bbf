from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from synthcity.errors import SourceError
from synthcity.market.sources.synthapi import SynthApi
from synthcity.market.venues.http import Patience
from synthcity.settings import Settings
from synthcity.sn50.competitions import get_competition
from tests.standins.synthdata import SynthServer, synth_server

NOW = 1_795_348_800
DAY = 86400
HOUR, DAILY = get_competition("crypto-1h"), get_competition("crypto-24h")
QUICK = Patience(attempts=3, first_wait_seconds=0.01, timeout_seconds=10, pause_seconds=0)


@pytest.fixture(scope="module")
def running() -> Iterator[SynthServer]:
    with synth_server() as server:
        yield server


@pytest.fixture
def server(running: SynthServer) -> SynthServer:
    running.faults(requests_per_second=1000)
    running.table(scores=[], prompts=[])
    return running


@pytest.fixture
def api(server: SynthServer) -> Iterator[SynthApi]:
    with SynthApi(Settings(synth_api_url=server.url), patience=QUICK) as opened:
        yield opened


def row(scored: int, miner: int, crps: float, asset: str = "BTC", competition: Any = HOUR) -> dict[str, Any]:
    return {
        "asset": asset,
        "crps": crps,
        "miner_uid": miner,
        "prompt_score": 1.0,
        "scored_time": datetime.fromtimestamp(scored, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "time_length": competition.time_length,
        "time_increment": competition.time_increment,
    }


def prompt(start: int, asset: str = "BTC", competition: Any = HOUR) -> dict[str, Any]:
    grid = {"time_length": competition.time_length, "time_increment": competition.time_increment}
    return {"asset": asset, "start_time": start, **grid}


def test_scores_find_the_prompt_they_belong_to(server, api):
    """Scoring comes some minutes after the end, so the prompt is the last one that fits, not the nearest."""
    starts = [NOW - 9000, NOW - 8400, NOW - 7800, NOW - 7200]
    scored = [start + 3600 + late for start, late in zip(starts, (90, 500, 200, 0), strict=True)]
    server.table(
        scores=[row(at, miner, 500.0 + miner) for at in scored for miner in (3, 7)],
        prompts=[prompt(start) for start in starts],
    )
    found = api.scores("BTC", HOUR, NOW - DAY, NOW)
    assert found.columns.tolist() == ["asset", "start_time", "miner", "total"]
    assert found.groupby("start_time")["miner"].apply(list).to_dict() == {start: [3, 7] for start in starts}
    assert found[found["miner"] == 7]["total"].unique().tolist() == [507.0]


def test_an_invalid_answer_is_marked_and_a_score_without_a_prompt_left_out(server, api):
    start = NOW - 9000
    server.table(
        scores=[row(start + 3700, 1, -1), row(start + 3700, 2, -7.5), row(start + 3600 + 1801, 3, 400.0)],
        prompts=[prompt(start)],
    )
    found = api.scores("BTC", HOUR, NOW - DAY, NOW)
    assert dict(zip(found["miner"], found["total"], strict=True)) == {1: -1.0, 2: -1.0}


def test_long_spans_are_asked_for_in_parts_and_rows_come_once(server, api):
    days = range(1, 10)
    starts = [NOW - day * DAY - DAY for day in days]
    rows = [row(start + DAY + 300, 5, 3000.0, competition=DAILY) for start in starts]
    server.table(scores=rows + rows, prompts=[prompt(start, competition=DAILY) for start in starts])
    found = api.scores("BTC", DAILY, NOW - 10 * DAY, NOW)
    assert sorted(found["start_time"]) == sorted(starts)
    asked = server.requests()
    assert [request["status"] for request in asked] == [200] * 3
    assert [request["path"].rpartition("/")[2] for request in asked] == ["historical", "historical", "prompts"]


def test_nothing_is_no_error_and_other_assets_and_lengths_stay_apart(server, api):
    start = NOW - 9000
    server.table(scores=[row(start + 3700, 1, 400.0, "ETH")], prompts=[prompt(start, "ETH")])
    assert api.scores("BTC", HOUR, NOW - DAY, NOW).empty
    assert api.scores("ETH", DAILY, NOW - DAY, NOW).empty
    assert len(api.scores("ETH", HOUR, NOW - DAY, NOW)) == 1
    assert api.prompts("SOL", HOUR, NOW - DAY, NOW) == []


def test_its_rate_limit_is_kept_by_default(server):
    server.faults()
    server.table(scores=[], prompts=[])
    with SynthApi(Settings(synth_api_url=server.url)) as api:
        for _ in range(3):
            api.prompts("BTC", HOUR, NOW - DAY, NOW)
    assert [request["status"] for request in server.requests()] == [404] * 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_trouble_is_waited_out_and_lasting_trouble_told(server, api, status):
    server.faults(status=status, times=2, requests_per_second=1000)
    assert api.prompts("BTC", HOUR, NOW - DAY, NOW) == []
    server.faults(status=status, times=-1, requests_per_second=1000)
    with pytest.raises(SourceError, match=r"the Synth API .*3 times in a row; repeat the command later or set SYNTHC"):
        api.prompts("BTC", HOUR, NOW - DAY, NOW)


ROW = '[{"asset": "BTC", "scored_time": "2026-11-22T00:00:00Z", "miner_uid": %s, "crps": %s}]'
NO_SCORES = [ROW % (3, "NaN"), ROW % (3, "1e999"), ROW % (3, 10**400), ROW % ("Infinity", 1.0)]


@pytest.mark.parametrize("garbage", ['{"detail": "x"}', '[{"asset": "BTC"}]', "[1]", '"x"', "<html>", *NO_SCORES])
def test_garbage_is_refused(server, api, garbage):
    server.faults(garbage=garbage, requests_per_second=1000)
    with pytest.raises(SourceError, match=r"something else than .*(JSON|\(scores\)); .*SYNTHCITY_SYNTH_API_URL"):
        api.scores("BTC", HOUR, NOW - DAY, NOW)
    with pytest.raises(SourceError, match="something else than"):
        api.prompts("BTC", HOUR, NOW - DAY, NOW)
    server.faults(garbage='{"start_times": ["noon"]}', requests_per_second=1000)
    with pytest.raises(SourceError, match="the time 'noon'"):
        api.prompts("BTC", HOUR, NOW - DAY, NOW)


def test_a_price_beyond_all_numbers_is_refused(server, api):
    server.faults(garbage=json.dumps({"real_prices": [10**400] * HOUR.num_points}))
    with pytest.raises(SourceError, match=r"something else than expected \(prices\)"):
        api.realised("BTC", HOUR, NOW)
