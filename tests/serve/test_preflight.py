from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest

from synthcity.errors import ConfigError
from synthcity.forecast.baselines import baseline
from synthcity.serve.admission.admission import AdmissionConfig
from synthcity.serve.preflight import (
    CheckState,
    check_address,
    check_clock,
    check_model,
    check_port,
    check_prices,
    check_registration,
)
from tests.ports import free_ports
from tests.serve.answering.test_engine import Model
from tests.serve.conftest import MarketPrices
from tests.serve.dialogue import MINER, NOW, STRANGER, market, snapshot
from tests.standins.prices import price_server


@pytest.mark.parametrize(
    ("found", "hotkey", "state", "text"),
    [
        (snapshot(), MINER, CheckState.OK, "uid 0 on subnet 50, block 1; 1 of 4 hotkeys may ask; 60 s old"),
        (snapshot(), STRANGER, CheckState.FAILED, "is not registered on subnet 50, block 1; register it"),
        (None, MINER, CheckState.WARNING, "everybody is refused until it answers"),
        (replace(snapshot(), taken_at=NOW - 7200), MINER, CheckState.WARNING, "the snapshot is 2h 1m old"),
        (replace(snapshot(), neurons={MINER.ss58_address: snapshot().neurons[MINER.ss58_address]}), MINER,
         CheckState.WARNING, "0 of 1 hotkeys may ask"),
    ],
)  # fmt: skip
def test_the_chain(found, hotkey, state, text):
    check = check_registration(found, hotkey.ss58_address, NOW + 60, AdmissionConfig())
    assert (check.state, text in check.text) == (state, True), check.text


def test_a_snapshot_of_another_subnet_is_none():
    check = check_registration(snapshot(), MINER.ss58_address, NOW, AdmissionConfig(), netuid=247)
    assert check.state is CheckState.FAILED
    assert check.text == "the snapshot is of subnet 50, not of 247; name its --netuid, or another --state"
    assert check_registration(snapshot(), MINER.ss58_address, NOW, AdmissionConfig(), netuid=50).state is CheckState.OK


def test_the_address():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        busy = check_address("127.0.0.1", port, None)
    assert (busy.state, "Address already in use" in busy.text) == (CheckState.FAILED, True)
    assert check_address("127.0.0.1", port, "8.8.8.8:8091").state is CheckState.OK
    assert check_address("127.0.0.1", port, None).state is CheckState.WARNING
    assert "no public address" in check_address("127.0.0.1", port, "192.168.0.4:8091").text
    for nonsense in ("here:8091", "8.8.8.8", "8.8.8.8:", "8.8.8.8:70000", "8.8.8.8:web", ":8091"):
        assert check_address("127.0.0.1", port, nonsense).state is CheckState.FAILED
    assert check_address("everywhere", port, None).state is CheckState.FAILED


def test_the_prices():
    prices = MarketPrices(market(("BTC", "ETH"), days=1))
    assert check_prices(prices, ["BTC", "ETH"], NOW).state is CheckState.OK
    late = check_prices(prices, ["BTC", "ETH"], NOW + 600)
    assert (late.state, "BTC 10m" in late.text) == (CheckState.FAILED, True), late.text


def test_the_model():
    prices = MarketPrices(market(("BTC", "XAU"), days=10))
    good = check_model("model", baseline("fhs"), prices, ["BTC", "XAU"], NOW)
    assert (good.state, good.text) == (CheckState.OK, "fhs answers 3 kinds of prompts")
    broken = check_model("model", Model("bug"), prices, ["BTC"], NOW)
    assert (broken.state, broken.text.endswith("ZeroDivisionError")) == (CheckState.FAILED, True)
    partly = check_model("model", Hourly(), prices, ["BTC"], NOW)
    assert (partly.state, "BTC crypto-24h: the fallback will" in partly.text) == (CheckState.WARNING, True)


class Hourly(Model):
    def simulate(self, history, prompt, *, seed=None):
        if prompt.time_length != 3600:
            raise ValueError("one hour only")
        return super().simulate(history, prompt, seed=seed)


@pytest.mark.parametrize(
    ("offset", "state", "text"),
    [
        (0.0, CheckState.OK, "within"),
        (4.0, CheckState.WARNING, "s ahead of"),
        (-60.0, CheckState.FAILED, "s behind"),
        (60.0, CheckState.FAILED, "s ahead of"),
    ],
)
def test_the_clock(offset, state, text):
    with price_server() as server:
        check = check_clock(server.url, lambda: time.time() + offset)
    assert (check.state, text in check.text) == (state, True), check.text


def test_nobody_tells_the_time():
    check = check_clock("http://127.0.0.1:9")
    assert (check.state, "tells no time (ConnectError)" in check.text) == (CheckState.WARNING, True)
    assert check_clock("nonsense").state is CheckState.WARNING


def test_a_port_that_is_taken_is_named_with_what_chooses_another():
    (port,) = free_ports(1)
    check_port("127.0.0.1", port)
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(ConfigError, match=rf"{port} \(Address already in use\); .*another --port"),
    ):
        check_port("127.0.0.1", port)
