from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from synthcity.cli import main as cli_main
from synthcity.market.calendar.events.calendar import packaged
from synthcity.market.simulated import SimulatedMarket
from synthcity.market.store import Store
from synthcity.market.times import parse_time
from tests.market.calendar.events.factories import rows

NOW = parse_time("2025-09-10T00:00")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``synthcity data calendar ...`` in this process on a day in 2025: exit code, output, errors."""
    monkeypatch.setattr("time.time", lambda: float(NOW))

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["synthcity", "data", "calendar", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli_main.main()
        text = capsys.readouterr()
        return int(ended.value.code or 0), text.out, text.err

    return call


def test_the_table_tells_when_what_how_surely_and_who_says_so(run: Run):
    code, out, _ = run("--next", "8d")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["when", "in", "kind", "name", "certainty", "by"]
    assert lines[2].split() == ["2025-09-11", "12:30", "1d", "12h", "cpi", "Consumer", "prices", "checked", "1"]
    assert "1: published schedule, date checked against the move of BTC" in lines
    assert lines[-1] == "consumer prices, jobs and FOMC meetings are all dated for sure up to: 2025-09-05"


@pytest.mark.parametrize("days", [30, 3650])
def test_no_line_is_longer_than_80_columns(run: Run, days: int):
    _, out, _ = run("--next", f"{days}d")
    assert max(map(len, out.splitlines())) <= 80


def test_json_tells_all_of_it(run: Run):
    code, out, _ = run("--next", "37h", "--json")
    told = json.loads(out)
    assert code == 0
    assert [event["kind"] for event in told["events"]] == ["ppi", "cpi", "claims"]
    assert told["events"][1] == {
        "time": "2025-09-11T12:30:00+00:00",
        "in_seconds": 131_400,
        "kind": "cpi",
        "name": "Consumer prices",
        "asset": None,
        "certainty": "checked",
        "known_from": "2025-01-01T00:00:00+00:00",
        "source": "published schedule, date checked against the move of BTC",
    }


def test_an_update_lays_an_operators_events_over_the_packaged_ones(run: Run, tmp_path: Path):
    store, file = tmp_path / "store", tmp_path / "mine.csv"
    file.write_text(rows("2025-09-12T21:05Z,earnings,A very long name of earnings,NVDAX,official,2025-09-01,its page"))
    code, out, _ = run("--store", store, "--update", file, "--next", "7d")
    assert code == 0
    assert out.startswith("taken in: 1 from 2025-09-12 21:05 to 2025-09-12 21:05\n")
    assert "NVDAX A very long n...  official" in out
    assert [e.asset for e in Store(store).calendar().dated if e not in packaged().dated] == ["NVDAX"]
    assert "NVDAX" in run("--store", store)[1]
    assert "NVDAX" not in run()[1], "the packaged one stays"


@pytest.mark.parametrize("text", ["", "kind\n", rows("2025-09-12T21:05Z,party,Party,,official,,me")])
def test_a_bad_update_ends_with_2_and_changes_nothing(run: Run, tmp_path: Path, text: str):
    file = tmp_path / "mine.csv"
    file.write_text(text)
    code, out, err = run("--store", tmp_path / "store", "--update", file)
    assert (code, out) == (2, "")
    assert err.startswith("error: the calendar ")
    assert err.count("\n") == 1
    assert not (tmp_path / "store" / "calendar.csv").exists()


def test_the_packaged_calendar_is_never_updated(run: Run, tmp_path: Path):
    code, _, err = run("--update", tmp_path / "x.csv")
    assert code == 2
    assert "--update needs --store" in err


def test_what_events_did_is_learned_from_the_store(run: Run, tmp_path: Path):
    store = Store(tmp_path / "store")
    store.append("BTC", "binance", 300, SimulatedMarket().bars("BTC", end=NOW))
    code, out, _ = run("--store", tmp_path / "store", "--learn", "--next", "1h")
    assert code == 0
    assert out.startswith("learned from events: cpi 8, nfp 9, ppi 8, ")
    assert NOW in [one.until for one in store.responses()]
    assert run("--learn")[0] == 2


def test_nothing_ahead_is_told(run: Run):
    assert run("--next", "1h")[1].startswith("nothing is known to come in this time\n")
