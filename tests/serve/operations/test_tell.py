"""``synthcity serve`` says how old its prices are, and why it refuses; on prices of the past it answers as of then."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from synthcity.errors import ConfigError, Fatal
from synthcity.market.store import open_store
from synthcity.market.times import format_time
from synthcity.serve.answering.tally import Status
from synthcity.serve.build import ServeConfig, build
from synthcity.serve.operations.tell import follow, told_at_start
from tests.serve.dialogue import NOW, market

ASKED = {"asset": "BTC", "time_length": 3600, "time_increment": 60, "num_simulations": 5, "seed": 1}


@pytest.fixture
def past(tmp_path: Path) -> ServeConfig:
    """A store that ends long ago, ETH's prices an hour before BTC's."""
    for asset, end in (("BTC", NOW - 90 * 86400), ("ETH", NOW - 90 * 86400 - 3600)):
        for (name, resolution), bars in market((asset,), now=end).items():
            open_store(tmp_path / "store").append(name, "binance", resolution, bars)
    return ServeConfig(model="ewma", store=str(tmp_path / "store"), state=str(tmp_path / "state"))


def _as_of_store(config: ServeConfig) -> ServeConfig:
    return replace(config, as_of="store")


def test_old_prices_are_told_at_the_start_with_the_remedy(past: ServeConfig):
    (line,) = told_at_start(past)
    assert line.startswith("warning: BTC ")
    assert line.endswith("; with --as-of store people are answered as of the last one")
    last = int(NOW - 90 * 86400) // 60 * 60
    assert told_at_start(_as_of_store(past)) == [
        f"BTC is answered as of {format_time(last)}",
        f"ETH is answered as of {format_time(last - 3600)}",
    ]


def test_each_asset_is_answered_as_of_its_own_last_price(past: ServeConfig):
    with TestClient(build(_as_of_store(past)).app) as client:
        for asset, end in (("BTC", NOW - 90 * 86400), ("ETH", NOW - 90 * 86400 - 3600)):
            answer = client.post("/simulate", json=ASKED | {"asset": asset})
            assert answer.status_code == 200, answer.text
            told = answer.json()
            assert told["prompt"]["start_time"] == int(end) // 60 * 60 + 60
            assert (told["price_age_seconds"], told["fallback"]) == (0, None)
        assert client.post("/simulate", json=ASKED | {"asset": "SOL"}).status_code == 503


def test_without_it_the_reason_of_a_refusal_is_told_to_the_operator_alone(past: ServeConfig):
    running = build(past)
    with TestClient(running.app) as client:
        answer = client.post("/simulate", json=ASKED)
        assert (answer.status_code, "bridged" in answer.text) == (503, False)
        (problem,) = running.service.status().problems
    assert problem.startswith("BTC is refused: the last price of BTC is ")


@pytest.mark.parametrize("changes", [{"live_assets": ("BTC",)}, {"hotkey": "h", "metagraph": "m"}])
def test_nobody_is_answered_live_as_of_the_past(past: ServeConfig, changes):
    with pytest.raises(ConfigError, match="nobody is answered live; leave out as_of"):
        replace(past, as_of="store", **changes)


class Served:
    """Says what it is told to, once each, then ends."""

    def __init__(self, *said: tuple[str, ...]) -> None:
        self.said = queue.Queue()
        self.ended = threading.Event()
        for problems in said:
            self.said.put(problems)

    def status(self) -> Status:
        problems = self.said.get_nowait()
        if self.said.empty():
            self.ended.set()
        if problems == ("gone",):
            raise Fatal("no replica tells how it stands")
        return Status(replica=1, problems=problems)


def test_troubles_are_told_once_as_they_come_and_go():
    served, told = Served((), ("BTC is 31 s old",), ("BTC is 36 s old",), ("gone",), ()), list[str]()
    follow(served, served.ended, tell=told.append, every_seconds=0.001)
    assert [line.split("  ")[1] for line in told] == [
        "BTC is 31 s old",
        "no replica tells how it stands",
        "all is well again",
    ]
    assert all(line.startswith(format_time(int(time.time()))[:10]) for line in told)
