"""A real small search that researches: what a scripted model finds wins a part, and what goes wrong costs nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthcity.agents.standin.process import RunningStandIn, running_standin
from synthcity.agents.transcript import spent
from synthcity.authored.locked.isolation import check_isolation
from synthcity.authored.locked.lock import NotIsolated
from synthcity.durations import HOUR
from synthcity.lines import read_all
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.store import Store
from synthcity.research.worlds.world import louder
from tests.agents.conftest import KEY
from tests.research.conftest import WAVE
from tests.search.test_run import events, finish, start

pytestmark = pytest.mark.slow
ASSETS = ("BTC", "ETH")
LAW = '''"""What har expects, louder and quieter in seven hours."""

import numpy as np

NAME = "waves"
LOOKBACK_DAYS = 1


def forecast(history, asset, ends, noise):
    wave = np.exp(0.8 * np.cos(2 * np.pi * ends / (7 * 3600)))
    return noise.normal * history.expected * wave / np.sqrt(np.mean(wave**2))
'''
DECISION = {
    "decisions": [{"name": name, "decision": "keep", "reason": "clear"} for name in ("seven_hours", "waves")],
    "summary": "volatility swings in seven hours",
}


def calls(name: str, **arguments: Any) -> dict[str, Any]:
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


ROUND = [
    calls("look_residuals", by=["hour"]),
    "overload",
    calls("test_input", source=WAVE, hypothesis="a cycle of seven hours"),
    "unknown_tool",
    calls("test_forecaster", source=LAW, hypothesis="the same as a law"),
    calls("finish", **DECISION),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prices whose volatility swings in seven hours."""
    folder = tmp_path_factory.mktemp("prices")
    market = SimulatedMarket(SimulatedConfig(days=170)).market(ASSETS, resolution=300)
    for asset in ASSETS:
        bars = market[asset, 300]
        swing = np.exp(0.8 * np.cos(2 * np.pi * bars.observed / (7 * HOUR)))
        Store(folder).append(asset, "simulated", 300, louder(bars, swing))
    return folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStandIn]:
    try:
        check_isolation()
    except NotIsolated as error:
        pytest.skip(str(error))
    monkeypatch.setenv("SYNTHCITY_LLM_API_KEY", KEY)
    with running_standin() as running:
        monkeypatch.setenv("SYNTHCITY_LLM_BASE_URL", running.url)
        yield running


def settings(store: Path, **search: object) -> list[str]:
    periods = {
        "train": ["2025-01-01", "2025-06-01"],
        "validation": ["2025-06-01", "2025-06-08"],
        "test": ["2025-06-08", "2025-06-15"],
    }
    given = {
        "data.source": "store",
        "data.path": str(store),
        "data.periods": json.dumps(periods),
        "search.trials": 2,
        "search.candidates": "[summary_gbm]",
        "search.research.rounds": 1,
        "search.research.trials": 2,
        "search.research.wait": "20m",
        "data.validation_every": "47h",
        "data.test_every": "71h",
        "llm.models": '["*General*"]',
        "llm.patience.first_wait_seconds": 0.1,
        **{name.replace("__", "."): value for name, value in search.items()},
    }
    return [word for key, value in given.items() for word in ("--set", f"{key}={value}")]


def told(run: Path, kind: str) -> Mapping[str, Any]:
    (event,) = (event for event in events(run) if event["kind"] == kind)
    return event


def test_what_a_model_wrote_beside_the_trials_has_a_part_in_the_mix_and_is_not_done_twice(
    store: Path, server: RunningStandIn, tmp_path: Path
) -> None:
    server.script(ROUND)
    run, library = tmp_path / "runs" / "tiny", tmp_path / "library"
    given = settings(store, search__library=library)
    process, end = start(tmp_path, *given), time.monotonic() + 300
    book = run / "research" / "labbook.jsonl"
    while not (book.exists() and '"tried"' in book.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)
    process.kill()
    process.communicate()
    before, asked = read_all(book), len(server.questions())
    server.script(ROUND[asked:])
    output, errors = finish(start(tmp_path, "--resume"))
    assert errors == ""
    assert read_all(book)[: len(before)] == before
    tried = [entry["name"] for entry in read_all(book) if entry["kind"] == "tried" and entry["arm"] == "model"]
    assert tried == ["seven_hours", "waves"]
    over = told(run, "researched")
    found = {one["made_by"]: one for one in over["found"] if one["arm"] == "model"}
    assert found.keys() == {"feature", "forecaster"}
    assert all(one["high"] < 0 for one in found.values())
    assert found["feature"]["name"] in over["inputs"]
    assert over["forecasters"] == [found["forecaster"]["name"]]
    assert {"har-found", *over["forecasters"]} & set(told(run, "mix")["members"])
    report = json.loads((run / "report.json").read_text())
    assert f"Found in this run by the model: the input {found['feature']['name']}" in report["research"]
    assert "Found in this run by the model: the input" in " ".join(output.split())
    paid = sum(one.usd for one in spent(read_all(run / "llm.jsonl")).values())
    assert (over["usd"], report["run"]["usd"]) == (pytest.approx(paid), pytest.approx(paid))
    for one in found.values():
        evidence = json.loads((library / f"{one['name']}.json").read_text())["evidence"]
        assert max(text.partition(" to ")[2] for text in evidence["folds"].values()).startswith("2025-06-01")


def test_a_model_that_hangs_costs_a_search_neither_time_nor_its_verdict(
    store: Path, server: RunningStandIn, tmp_path: Path
) -> None:
    server.script([calls("look_residuals", by=["hour"])] + [{"do": "hang", "seconds": 600}] * 9)
    began = time.monotonic()
    finish(start(tmp_path, *settings(store, search__time_budget="100s")))
    assert time.monotonic() - began < 200
    run = tmp_path / "runs" / "tiny"
    assert told(run, "verdict")["sentence"]
    sentence = told(run, "researched")["sentence"]
    assert "the language model was too slow for its deadline" in sentence
    assert sentence.endswith("time was over in round 1")
