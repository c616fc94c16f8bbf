"""What a miner is told and asks before it starts; the start itself is tried in ``tests/cli/test_mining.py``."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.facts import SIMULATED
from synthcity.forecast.dispatch import Dispatch, Route
from synthcity.serve import mining as module
from synthcity.serve.admission.metagraph import Metagraph
from synthcity.serve.deployment import ClusterConfig
from synthcity.serve.mining import MiningConfig, hotkey_address, mining
from tests.forecast.bundles.test_facts import bundle, facts
from tests.serve.dialogue import MINER, STRANGER, VALIDATOR, snapshot


def test_an_address_that_nobody_would_publish_is_refused_at_once(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"nothing would publish 8\.8\.8\.8:8091: with the metagraph file .* alone"):
        MiningConfig(model="fhs", store=str(tmp_path), metagraph="metagraph.json", publish="8.8.8.8:8091")


def test_a_hotkey_may_be_an_address_where_no_key_is_needed():
    assert hotkey_address("none", MINER.ss58_address) == MINER.ss58_address
    with pytest.raises(ConfigError, match="wallet 'none' has no hotkey"):
        hotkey_address("none", MINER.ss58_address, needs_wallet=True)


@pytest.mark.parametrize("role", ["model", "challenger"])
def test_a_bundle_of_simulated_prices_is_not_mined_with(tmp_path: Path, role: str):
    made_up = str(bundle(tmp_path / "made-up", facts(SIMULATED)))
    config = MiningConfig(
        **{"model": "fhs", role: made_up},
        store=str(tmp_path / "store"),
        state=str(tmp_path / "state"),
        hotkey=MINER.ss58_address,
        metagraph=str(tmp_path / "metagraph.json"),
        cluster=ClusterConfig(metrics_port=0),
    )
    with pytest.raises(ConfigError, match="made-up was trained on SIMULATED prices"), mining(config, tell=str):
        raise AssertionError("it has started")
    assert not (tmp_path / "store").exists(), "nothing has begun to follow a venue"


def test_in_a_rehearsal_a_bundle_of_simulated_prices_may_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SYNTHCITY_BINANCE_URL", "http://127.0.0.1:9")
    made_up = str(bundle(tmp_path / "made-up", facts(SIMULATED)))
    config = MiningConfig(
        model=made_up,
        store=str(tmp_path / "store"),
        assets=("BTC",),
        state=str(tmp_path / "state"),
        hotkey=MINER.ss58_address,
        metagraph=str(tmp_path / "metagraph.json"),
        cluster=ClusterConfig(metrics_port=0),
        rehearsal=True,
        patience_seconds=0,
    )
    told: list[str] = []
    with pytest.raises(ConfigError, match=r"the miner does not start: .*prices"), mining(config, tell=told.append):
        raise AssertionError("it has started")
    assert any("SIMULATED" in line for line in told), "and says so"


def test_a_bundle_that_answers_nothing_is_not_mined_with(tmp_path: Path):
    Dispatch([Route.parse("crypto-24h:BTC")], [baseline("fhs")]).save(tmp_path / "btc")
    config = MiningConfig(
        model=str(tmp_path / "btc"),
        store=str(tmp_path / "store"),
        assets=("ETH", "SOL"),
        state=str(tmp_path / "state"),
        hotkey=MINER.ss58_address,
        metagraph=str(tmp_path / "metagraph.json"),
        cluster=ClusterConfig(metrics_port=0),
    )
    with pytest.raises(ConfigError, match="was made for no prompt of ETH, SOL that"), mining(config, tell=str):
        raise AssertionError("it has started")


def test_checks_are_told_to_whoever_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SYNTHCITY_BINANCE_URL", "http://127.0.0.1:9")
    snapshot().write(tmp_path / "metagraph.json")
    config = MiningConfig(
        model="fhs",
        store=str(tmp_path / "store"),
        assets=("BTC",),
        state=str(tmp_path / "state"),
        hotkey=STRANGER.ss58_address,
        metagraph=str(tmp_path / "metagraph.json"),
        cluster=ClusterConfig(metrics_port=0),
        patience_seconds=0,
    )
    told: list[str] = []
    with pytest.raises(ConfigError, match="chain, prices, model failed"), mining(config, tell=told.append):
        raise AssertionError("it has started")
    assert [line[8:20].strip() for line in told][:2] == ["hotkey", "chain"]


def test_a_place_that_is_not_there_is_told_before_anything_starts(tmp_path: Path):
    config = MiningConfig(
        model="fhs",
        store=str(tmp_path / "store"),
        state=str(tmp_path / "state"),
        hotkey=MINER.ss58_address,
        metagraph=str(tmp_path / "metagraph.json"),
        cluster=ClusterConfig(metrics_port=0),
        watch=str(tmp_path / "none"),
    )
    with pytest.raises(ConfigError, match=r"there is no folder .*none to watch"), mining(config, tell=str):
        raise AssertionError("it has started")
    assert not (tmp_path / "store").exists()


class Feed:
    """Prices of this age."""

    def __init__(self, age: float) -> None:
        self._age = age

    def age(self, asset: str, now: float) -> float:
        return self._age


@pytest.mark.parametrize(
    ("hotkey", "snapshot_age", "price_age", "waits"),
    [
        (VALIDATOR, 60, 10, False),
        (VALIDATOR, 60, 1200, False),  # the venues are away as well
        (VALIDATOR, 3600, 10, True),
        (STRANGER, 60, 10, True),  # it may be registered meanwhile
        (VALIDATOR, 60, 3600, True),
    ],
)
def test_a_restart_waits_for_nothing_that_it_can_do_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hotkey, snapshot_age, price_age, waits
):
    """With the chain away and a fresh snapshot it took two and a half minutes."""
    monkeypatch.setattr(module, "_RESTART_SECONDS", 0.0)
    replace(snapshot(), taken_at=time.time() - snapshot_age).write(tmp_path / "metagraph.json")
    config = MiningConfig(model="fhs", store=str(tmp_path), assets=("BTC",), patience_seconds=1.0)
    begin = time.monotonic()
    module._await_news(config, hotkey.ss58_address, Metagraph(tmp_path / "metagraph.json"), Feed(price_age))
    assert (time.monotonic() - begin >= 1.0) == waits
