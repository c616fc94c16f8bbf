"""What a winner would have earned: asked of a stand-in of the network's API, a sentence where nobody can know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.forecast.baselines import baseline
from synthcity.market.periods import Period
from synthcity.market.store import Store
from synthcity.search.earnings import tell_earnings
from synthcity.search.finals.final import WINNER
from synthcity.search.journal.events import EarningsTold
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.report.place import sentence
from synthcity.sn50.competitions import get_competition, get_rules
from tests.market.sources.test_synthapi import prompt as prompt_row
from tests.market.sources.test_synthapi import row
from tests.serve.settlement.test_replay import BARS, DAY, END, HOUR, HOURLY, QUICK, STARTS
from tests.standins.synthdata import SynthServer, synth_server

TEST = Period(start=END - 2 * DAY, end=END)
SHORT = Period(start=END - DAY, end=END)


@pytest.fixture(scope="module")
def running() -> Iterator[SynthServer]:
    with synth_server() as server:
        yield server


@pytest.fixture
def server(running: SynthServer, monkeypatch: pytest.MonkeyPatch) -> SynthServer:
    running.faults(requests_per_second=1000)
    running.table(
        scores=[row(start + HOUR + 200, miner, total) for start in STARTS for miner, total in ((1, 1.0), (2, 1e6))],
        prompts=[prompt_row(start) for start in STARTS],
        closes={"BTC": (int(BARS.time[0]), BARS.close.tolist())},
    )
    monkeypatch.setenv("SYNTHCITY_SYNTH_API_URL", running.url)
    monkeypatch.setattr("synthcity.market.sources.synthapi._PATIENCE", QUICK)
    return running


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.append("BTC", "binance", 60, BARS)
    store.append("BTC", "synth", 60, BARS)
    return store


def told(tmp_path: Path, *, budget: float | None = None, **changes: Any) -> EarningsTold:
    """Tell the earnings of a run whose winner is a baseline, twice; ``changes`` are of its data."""
    baseline("trailing").save(tmp_path / "run" / WINNER)
    rules = get_rules()
    data = SimpleNamespace(
        **{
            "competition": HOURLY,
            "rules": rules,
            "assets": ("BTC",),
            "venues": ("binance",),
            "periods": SimpleNamespace(test=TEST),
            "facts": SimpleNamespace(is_simulated=False),
        }
        | changes
    )
    config = SimpleNamespace(
        data=SimpleNamespace(path=str(tmp_path / "store"), venue=None),
        search=SimpleNamespace(time_budget=budget, seed=0),
    )
    with Journal(tmp_path / "run") as journal:
        recorder = Recorder(journal)
        for _ in range(2):
            tell_earnings(recorder, data, config, tmp_path / "run")  # type: ignore[arg-type]
        [found] = recorder.all(EarningsTold)
        assert recorder.history.finals.earnings == found
    return found


def test_the_place_among_the_real_miners_is_told_once(server: SynthServer, store: Store, tmp_path: Path) -> None:
    found = told(tmp_path)
    assert found["reason"] == ""
    place = found["place"]
    assert place is not None
    assert (place["rank"], place["miners"], place["prompts"], place["days"], place["lost"]) == (2, 3, len(STARTS), 1, 0)
    assert place["best"] == 0.0
    assert place["share_range"] is None, "a day is too short for an interval"
    said = sentence(found)
    assert said.startswith("Among the real miners it would have ranked 2 of 3 over the last day of the test period")
    assert f"{100 * place['share']:.2f} % of the pay of crypto-1h, on 30 of the network's own prompts." in said


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"facts": SimpleNamespace(is_simulated=True)}, "the market is simulated"),
        (
            {"competition": replace(get_competition("crypto-1h"), assets=("BTC", "ETH"))},
            "it is paid for all of crypto-1h, and this search knows no ETH",
        ),
        (
            {"periods": SimpleNamespace(test=SHORT)},
            "the test period is shorter than a day and a prompt",
        ),
    ],
)
def test_what_nobody_can_know_is_a_sentence(
    server: SynthServer, store: Store, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    found = told(tmp_path, **changes)
    assert (found["place"], found["reason"]) == (None, reason)
    assert sentence(found) == f"What it would have earned is not known: {reason}."
    assert server.requests() == []


def test_a_store_without_realised_paths_asks_nobody(server: SynthServer, tmp_path: Path) -> None:
    Store(tmp_path / "store").append("BTC", "binance", 60, BARS)
    assert "holds no realised paths of the network for BTC; `synthcity data download" in told(tmp_path)["reason"]
    assert server.requests() == []


def test_a_budget_that_is_used_up_names_the_command(server: SynthServer, store: Store, tmp_path: Path) -> None:
    reason = told(tmp_path, budget=0.0)["reason"]
    assert reason.startswith("the time budget ended before; `synthcity replay ")


def test_an_api_that_is_away_costs_no_verdict(server: SynthServer, store: Store, tmp_path: Path) -> None:
    server.faults(status=503, times=-1, requests_per_second=1000)
    found = told(tmp_path)
    assert found["place"] is None
    assert "Synth API" in found["reason"]


def test_a_store_that_ends_before_the_prompts_is_told(server: SynthServer, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.append("BTC", "synth", 60, BARS)
    store.append("BTC", "binance", 60, BARS.slice(0, 1000))
    assert "bars of BTC" in told(tmp_path)["reason"]


def test_whatever_fails_costs_no_verdict(
    server: SynthServer, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("synthcity.search.earnings.replay", broken)
    assert told(tmp_path)["reason"] == "asking failed (OSError: [Errno 28] No space left on device)"
