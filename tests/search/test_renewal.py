"""Trained again on newer prices: the same structure, more to learn from, no verdict, nothing lost to a kill."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthcity.cluster.local import Cluster
from synthcity.errors import ConfigError, DataError
from synthcity.forecast.baselines import Fhs
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.bundles.combine import combine
from synthcity.forecast.bundles.facts import SIMULATED, Facts
from synthcity.forecast.bundles.provenance import read_facts
from synthcity.forecast.mixing import Mix
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import Market
from synthcity.market.columns import bars_of_closes
from synthcity.market.dataset import Dataset, build_dataset
from synthcity.market.periods import Period
from synthcity.market.store.parquet import Store
from synthcity.market.windows import WindowSpec
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.training import Trainer
from synthcity.research.informed.columns import with_inputs
from synthcity.research.informed.forecaster import Informed
from synthcity.search import renewal
from synthcity.search.finals.refit import fit
from synthcity.search.renewal import WORK, renew
from synthcity.sn50.prompt import Prompt
from tests.nets.conftest import START, dataset, seasonal_bars
from tests.research.informed.test_forecaster import by_hand

__all__ = ["dataset"]
DAY = 86400
PROMPT = Prompt(asset="BTC", start_time=START + 30 * DAY, num_simulations=20)
FACTS = Facts(
    venues=("binance",),
    competition="crypto-24h",
    rules="2026-09",
    assets=("BTC", "ETH"),
    periods={
        "train": Period(start=START + 7 * DAY, end=START + 17 * DAY),
        "validation": Period(start=START + 17 * DAY, end=START + 20 * DAY),
        "test": Period(start=START + 20 * DAY, end=START + 24 * DAY),
    },
)
CONFIG: dict[str, object] = {"d_model": 16, "history": 24, "blocks": [], "head": {"name": "gbm"}}


@pytest.fixture(scope="module")
def networks(dataset: Dataset) -> list[NetForecaster]:
    """Two that differ in their seed alone."""
    trained = []
    for seed in (1, 2):
        trainer = Trainer(CONFIG, dataset, seed=seed, num_rungs=1, max_steps=3)
        trainer.fit(rungs=1)
        trained.append(NetForecaster.from_state(trainer.state()))
    return trained


@pytest.fixture
def winner(networks: list[NetForecaster], tmp_path: Path) -> Path:
    mix = Mix([*networks, Fhs()], [0.5, 0.3, 0.2])
    Quantised(mix).save(tmp_path / "winner", manifest=FACTS.to_manifest())
    return tmp_path / "winner"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for seed, asset in enumerate(("BTC", "ETH")):
        Store(tmp_path / "store").append(asset, "binance", 300, seasonal_bars(31, seed, 300).until(START + 30 * DAY))
    return tmp_path / "store"


class Bench:
    """Trains in this process, and dies after so many."""

    def __init__(self) -> None:
        self.trained: list[int] = []
        self.datasets: list[Dataset] = []
        self.dies_after = 99

    def __call__(self, jobs: Mapping[int, Any], datasets: Mapping[Any, Dataset]) -> Iterator[tuple[int, bytes]]:
        self.datasets += datasets.values()
        for number, job in jobs.items():
            if len(self.trained) == self.dies_after:
                raise KeyboardInterrupt
            self.trained.append(number)
            config = job.network.network.config.to_dict()
            yield number, fit(config, (), datasets[job.data_key], job.seed, job.steps)[0]


@pytest.fixture(autouse=True)
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    found = Bench()
    monkeypatch.setattr(renewal, "_trained", found)
    monkeypatch.setattr(renewal, "cluster", lambda workers: contextlib.nullcontext(Cluster(workers=1, num_gpus=0)))
    return found


def test_only_what_the_networks_have_seen_grows(winner: Path, store: Path, tmp_path: Path) -> None:
    told: list[str] = []
    facts = renew(winner, store, tmp_path / "new", tell=told.append)
    end = START + 30 * DAY
    assert facts.periods == {"train": Period(start=START + 7 * DAY, end=end)}
    assert facts.learned == facts.periods["train"]
    assert (facts.venues, facts.competition, facts.assets) == (("binance",), "crypto-24h", ("BTC", "ETH"))
    assert "REFITTED from bundle" in str(facts)
    assert read_facts(tmp_path / "new") == (facts,)
    old, new = load(winner), load(tmp_path / "new")
    assert isinstance(old, Quantised)
    assert isinstance(new, Quantised)
    assert isinstance(old.forecaster, Mix)
    assert isinstance(new.forecaster, Mix)
    np.testing.assert_array_equal(new.forecaster.weights, old.forecaster.weights)
    for before, after in zip(old.forecaster.members[:2], new.forecaster.members[:2], strict=True):
        assert isinstance(before, NetForecaster)
        assert isinstance(after, NetForecaster)
        assert after.meta == before.meta  # seed, steps, competition, rules
        assert after.network.config == before.network.config
        assert (after.spec, after.assets) == (before.spec, before.assets)
    history = Store(store).load_market(["BTC"], 300).as_of(PROMPT.start_time)
    assert not np.array_equal(new.simulate(history, PROMPT, seed=1), old.simulate(history, PROMPT, seed=1))
    assert [re.sub(r"about \d+s left", "about 0s left", line) for line in told] == [
        "1 of 2 networks trained (none>gbm d16, 3 steps), 1 at a time; about 0s left",
        "2 of 2 networks trained (none>gbm d16, 3 steps), 1 at a time",
    ]
    assert "metrics" not in json.loads((tmp_path / "new" / "manifest.json").read_text())
    assert not (tmp_path / f"new{WORK}").exists()


def test_networks_are_trained_again_with_what_is_known_to_come(
    winner: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that was told of releases must be told of them again, as it is when it answers."""
    seen: list[Market] = []

    def watching(market: Market, **changes: Any) -> Dataset:
        seen.append(market)
        return build_dataset(market, **changes)

    monkeypatch.setattr(renewal, "build_dataset", watching)
    renew(winner, store, tmp_path / "new", tell=lambda line: None)
    assert seen
    assert all(market.foresight is not None for market in seen)


def test_networks_are_trained_again_with_what_their_inputs_say_of_the_new_prices(
    dataset: Dataset, store: Path, tmp_path: Path, bench: Bench
) -> None:
    inputs = by_hand(horizon=dataset.spec.horizon)
    market = Market({(asset, 300): seasonal_bars(24, seed, 300) for seed, asset in enumerate(("BTC", "ETH"))})
    trainer = Trainer(CONFIG, with_inputs(dataset, inputs, market), seed=1, num_rungs=1, max_steps=2)
    trainer.fit(rungs=1)
    old = NetForecaster.from_state(trainer.state(), inputs)
    old.save(tmp_path / "winner", manifest=FACTS.to_manifest())
    renew(tmp_path / "winner", store, tmp_path / "new")
    new = load(tmp_path / "new")
    assert isinstance(new, NetForecaster)
    assert isinstance(new.inputs, Informed)
    assert new.inputs.digest == inputs.digest
    assert new.spec == old.spec
    (data,) = bench.datasets
    table = data.tables["BTC"]
    assert table.foretold is not None
    last = int(table.foretold.rows[-1])
    assert table.time[last] > START + 28 * DAY, "the new prices are told of, too"
    start = Prompt(asset="BTC", start_time=int(table.time[last]))
    said = inputs.multiplier(Store(store).load_market(["BTC", "ETH"], 300).as_of(start.start_time), start)
    np.testing.assert_allclose(table.foretold.values[-1], np.log(said), atol=1e-5)


def test_what_learned_from_drawn_minutes_does_so_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, end, store = START + 20 * DAY, START + 25 * DAY, tmp_path / "store"
    minutes = seasonal_bars(31, 0, 60).until(end)
    Store(store).append("BTC", "binance", 60, minutes.slice(int(np.searchsorted(minutes.time, first)), len(minutes)))
    Store(store).append("BTC", "binance", 300, seasonal_bars(31, 0, 300).until(end))
    data = build_dataset(
        Market({("BTC", 60): Store(store).load("BTC", 60)}),
        competition="crypto-1h",
        rules="2026-09",
        spec=WindowSpec.of(60, 60),
        assets=("BTC",),
        train=(first, end - DAY // 2),
        validation=(end - DAY // 2, end),
        validation_every=DAY // 8,
        coefficients={"BTC": 1.0},
    )
    trainer = Trainer(CONFIG, data, seed=1, num_rungs=1, max_steps=1)
    trainer.fit(rungs=1)
    facts = replace(FACTS, competition="crypto-1h", assets=("BTC",), drawn_minutes=True)
    NetForecaster.from_state(trainer.state()).save(tmp_path / "winner", manifest=facts.to_manifest())
    seen: list[Market] = []

    def watching(market: Market, **changes: Any) -> Dataset:
        seen.append(market)
        return build_dataset(market, **changes)

    monkeypatch.setattr(renewal, "build_dataset", watching)
    found = renew(tmp_path / "winner", store, tmp_path / "new", tell=lambda line: None)
    assert found.drawn_minutes
    assert "DRAWN minutes" in str(found)
    assert read_facts(tmp_path / "new") == (found,)
    (market,) = seen
    assert market["BTC", 60].time[0] < START + 2 * DAY
    assert market["BTC", 60].time[-1] == minutes.time[-1]


def test_a_killed_refit_goes_on_where_it_was(winner: Path, store: Path, tmp_path: Path, bench: Bench) -> None:
    renew(winner, store, tmp_path / "whole")
    bench.trained.clear()
    bench.dies_after = 1
    with pytest.raises(KeyboardInterrupt):
        renew(winner, store, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    bench.dies_after = 99
    for seed, asset in enumerate(("BTC", "ETH")):  # a day of newer prices does not make the first half worthless
        Store(store).append(asset, "binance", 300, seasonal_bars(31, seed, 300))
    renew(winner, store, tmp_path / "new")
    assert bench.trained == [0, 1]
    history = Store(store).load_market(["BTC"], 300).as_of(PROMPT.start_time)
    drawn = [load(tmp_path / name).simulate(history, PROMPT, seed=1) for name in ("whole", "new")]
    np.testing.assert_array_equal(drawn[0], drawn[1])


def test_a_damaged_half_is_trained_again(winner: Path, store: Path, tmp_path: Path, bench: Bench) -> None:
    bench.dies_after = 1
    with pytest.raises(KeyboardInterrupt):
        renew(winner, store, tmp_path / "new")
    (state,) = (tmp_path / f"new{WORK}").glob("*.safetensors")
    state.write_bytes(state.read_bytes()[:-7])
    bench.dies_after = 99
    renew(winner, store, tmp_path / "new")
    assert bench.trained == [0, 0, 1]


def test_what_was_chosen_on_simulated_prices_stays_simulated(
    networks: list[NetForecaster], store: Path, tmp_path: Path
) -> None:
    networks[0].save(tmp_path / "old", manifest=replace(FACTS, venues=(SIMULATED,)).to_manifest())
    facts = renew(tmp_path / "old", store, tmp_path / "new")
    assert facts.is_simulated
    assert facts.venues == (SIMULATED, "binance")
    (found,) = read_facts(tmp_path / "new")
    assert found.is_simulated


def test_a_combined_bundle_keeps_its_routes(winner: Path, store: Path, tmp_path: Path) -> None:
    combine(tmp_path / "all", ["crypto-24h:BTC,ETH=" + str(winner), "crypto-1h=fhs"])
    renew(tmp_path / "all", store, tmp_path / "new")
    (facts,) = read_facts(tmp_path / "new")
    assert facts.refit_of is not None
    assert facts.learned == Period(start=START + 7 * DAY, end=START + 30 * DAY)


def test_learns_up_to_the_time_that_is_named(winner: Path, store: Path, tmp_path: Path) -> None:
    facts = renew(winner, store, tmp_path / "new", until=START + 25 * DAY)
    assert facts.learned == Period(start=START + 7 * DAY, end=START + 25 * DAY)
    bars = seasonal_bars(29, 0, 300)  # of what the network told, beside the venue that was learned from
    Store(store).append("BTC", "synth", 300, bars_of_closes(bars.time, bars.close, 300))
    again = renew(tmp_path / "new", store, tmp_path / "newer")
    assert again.learned == Period(start=START + 7 * DAY, end=START + 30 * DAY)
    assert again.venues == ("binance",)


def test_says_at_once_what_cannot_be(winner: Path, networks: list[NetForecaster], store: Path, tmp_path: Path) -> None:
    Fhs().save(tmp_path / "fhs")
    with pytest.raises(ConfigError, match="holds no network: fhs learns from the prices that it is asked with"):
        renew(tmp_path / "fhs", store, tmp_path / "new")
    networks[0].save(tmp_path / "silent")
    with pytest.raises(ConfigError, match="does not tell what it learned from"):
        renew(tmp_path / "silent", store, tmp_path / "new")
    with pytest.raises(ConfigError, match=r"learned from prices up to 2025-01-21 .*end on 2025-01-16"):
        renew(winner, store, tmp_path / "new", until=START + 15 * DAY)
    with pytest.raises(ConfigError, match=r"the store ends on 2025-01-31.*download later prices first"):
        renew(winner, store, tmp_path / "new", until=START + 90 * DAY)
    with pytest.raises(DataError):
        renew(winner, tmp_path / "nowhere", tmp_path / "new")
    assert not (tmp_path / "new").exists()
