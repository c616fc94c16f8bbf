"""A candidate learns on the score, resumes to the same weights, and forecasts what it learnt."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from synthcity.errors import BundleError, ConfigError, DataError, TrialFailed, TrialTimeout
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.conformance import with_other_future
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import Market
from synthcity.market.dataset import Dataset
from synthcity.nets import state as states
from synthcity.nets.config import RECIPE
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.heads.gbm import GBMLaw
from synthcity.nets.training import Trainer, _chances
from synthcity.nets.validation import WindowScores
from synthcity.sn50.prompt import Prompt
from tests.nets.conftest import START, seasonal_bars

CONFIG = {
    "d_model": 16,
    "history": 24,
    "patch": 3,
    "blocks": [{"name": "lstm"}],
    "training": {"batch_size": 24, "num_paths": 12, "learning_rate": 4e-3},
}


def trainer(dataset: Dataset, seed: int = 1, state: bytes | None = None, steps: int = 60) -> Trainer:
    return Trainer(CONFIG, dataset, seed=seed, num_rungs=3, max_steps=steps, state=state)


@pytest.fixture(scope="module")
def trained(dataset: Dataset) -> tuple[list[dict[str, object]], bytes]:
    fitted = trainer(dataset, steps=120)
    results = [fitted.advance()]
    while not results[-1]["done"]:
        results.append(fitted.advance())
    return results, fitted.state()


def test_training_lowers_the_score_below_the_untrained_network(dataset: Dataset, trained):
    results, _ = trained
    untrained = trainer(dataset)
    start = untrained.validate().score
    assert results[-1]["score"] < 0.99 * start
    assert results[-1]["steps"] == 120
    assert set(results[-1]["scores_by_asset"]) == {"BTC", "ETH"}


def test_an_asset_with_fewer_windows_weighs_less(dataset: Dataset):
    fewer = replace(dataset, validation={**dataset.validation, "ETH": dataset.validation["ETH"][:3]})
    known = trainer(fewer).advance()
    by_asset = known["scores_by_asset"]
    weights = [1.0 * len(dataset.validation["BTC"]), 0.7 * 3]
    assert known["score"] == pytest.approx(np.average([by_asset["BTC"], by_asset["ETH"]], weights=weights))


def test_resuming_from_a_rung_gives_the_same_weights_as_never_stopping(dataset: Dataset):
    straight = trainer(dataset)
    straight.advance()
    resumed = trainer(dataset, state=straight.state())
    assert resumed.rung == 1
    first, second = straight.advance(), resumed.advance()
    assert first["score"] == second["score"]
    assert first["train_loss"] == second["train_loss"]
    for a, b in zip(straight.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(a, b)
    assert straight.state() == resumed.state()


def test_same_seed_same_score_other_seed_another(dataset: Dataset):
    first, second, other = (trainer(dataset, seed=s, steps=9).advance()["score"] for s in (1, 1, 2))
    assert first == second != other


def test_the_gate_reports_size_and_refuses_dead_parameters(dataset: Dataset, monkeypatch: pytest.MonkeyPatch):
    report = Trainer.check(CONFIG, dataset)
    assert report["parameters"] > 1000
    from synthcity.nets.network import Network

    original = Network.__init__

    def with_dead(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.unused = torch.nn.Parameter(torch.zeros(3))

    monkeypatch.setattr(Network, "__init__", with_dead)
    with pytest.raises(TrialFailed, match="1 parameters get no gradient, first unused"):
        Trainer.check(CONFIG, dataset)


def test_a_diverged_network_is_a_failed_trial(dataset: Dataset):
    broken = trainer(dataset)
    with torch.no_grad():
        broken.network.stem.weight.fill_(math.nan)
    with pytest.raises(TrialFailed, match="training loss became nan"):
        broken.advance()


def test_a_state_of_another_candidate_is_refused(dataset: Dataset):
    fitted = trainer(dataset, steps=3)
    fitted.advance()
    other = {**CONFIG, "d_model": 32}
    with pytest.raises(ConfigError, match="belongs to another candidate"):
        Trainer(other, dataset, seed=1, num_rungs=3, max_steps=60, state=fitted.state())


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_damaged_states_are_refused(trained, damage: bytes | None):
    blob = trained[1][:-10] if damage is None else damage
    with pytest.raises(BundleError, match="damaged or foreign"):
        states.parse(blob)


@pytest.fixture(scope="module")
def market() -> Market:
    return Market({(asset, 300): seasonal_bars(24, seed, 300) for seed, asset in enumerate(("BTC", "ETH"))})


def prompt(asset: str = "ETH", day: int = 20, **options: int) -> Prompt:
    return Prompt(asset=asset, start_time=START + day * 86400 + 3600, num_simulations=50, **options)


def test_forecast_has_the_shape_the_network_asks_for(trained, market: Market):
    forecaster = NetForecaster.from_state(trained[1])
    paths = forecaster.simulate(market.as_of(prompt().start_time), prompt(), seed=3)
    assert paths.shape == (50, 289)
    assert paths.dtype == np.float64
    assert np.isfinite(paths).all()
    assert (paths > 0).all()
    assert (paths[:, 0] == market["ETH", 300].grid_price(np.array([prompt().start_time]))[0]).all()
    assert forecaster.name == "lstm>gbm d16"


def test_forecast_is_seeded_and_ignores_the_future(trained, market: Market):
    forecaster = NetForecaster.from_state(trained[1])
    now = prompt().start_time
    first = forecaster.simulate(market.as_of(now), prompt(), seed=3)
    others = Market({key: with_other_future(bars, now) for key, bars in market.items()})
    np.testing.assert_array_equal(first, forecaster.simulate(others.as_of(now), prompt(), seed=3))
    assert not np.array_equal(first, forecaster.simulate(market.as_of(now), prompt(), seed=4))


def test_the_law_of_a_live_forecast_is_the_law_of_training(dataset: Dataset, trained, market: Market):
    """The walk of a price is one: windows cut from the table and a live prompt give the same parameters."""
    from synthcity.nets.network import make_batch

    forecaster = NetForecaster.from_state(trained[1])
    table = dataset.tables["ETH"]
    at = int(np.searchsorted(table.time, prompt().start_time))
    batch = make_batch([table], np.zeros(1, np.int64), np.array([at]), forecaster.network.config.steps, dataset.spec)
    batch.asset.fill_(1)
    with torch.inference_mode():
        want = forecaster.network(batch).params()["log_volatility"]
        live = forecaster._table(market.as_of(prompt().start_time), prompt())
        row = make_batch([live], np.zeros(1, np.int64), np.array([len(live) - 1]), 72, dataset.spec)
        row.asset.fill_(1)
        got = forecaster.network(row).params()["log_volatility"]
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_bundle_gives_bit_equal_paths(trained, market: Market, tmp_path):
    forecaster = NetForecaster.from_state(trained[1])
    forecaster.save(tmp_path / "bundle", metrics={"score": 1.0})
    loaded = load(tmp_path / "bundle")
    history = market.as_of(prompt().start_time)
    np.testing.assert_array_equal(
        forecaster.simulate(history, prompt(), seed=5), loaded.simulate(history, prompt(), seed=5)
    )


def test_what_the_network_was_not_trained_for_is_refused(trained, market: Market):
    forecaster = NetForecaster.from_state(trained[1])
    history = market.as_of(prompt().start_time)
    with pytest.raises(DataError, match="knows BTC, ETH, not SOL"):
        forecaster.simulate(history, prompt("SOL"), seed=0)
    with pytest.raises(DataError, match="not 60 steps of 60 s"):
        forecaster.simulate(history, prompt(time_increment=60, time_length=3600), seed=0)
    for day in (0, 1, 6):
        early = prompt(day=day)
        with pytest.raises(DataError, match="too little history"):
            forecaster.simulate(market.as_of(early.start_time), early, seed=0)


def test_a_history_that_knows_the_future_is_refused(trained, market: Market):
    with pytest.raises(ValueError, match="past the prompt's start"):
        NetForecaster.from_state(trained[1]).simulate(market.as_of(prompt().start_time + 600), prompt(), seed=0)


def test_bars_of_a_notebook_stand_for_a_history_and_closes_alone_do_not(trained, market: Market):
    import pandas as pd

    bars = market["ETH", 300].until(prompt().start_time)
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    frame = pd.DataFrame(columns, index=pd.to_datetime(bars.time, unit="s", utc=True))
    network = NetForecaster.from_state(trained[1])
    assert network.simulate(frame, prompt(), seed=0).shape == (50, 289)
    series = pd.Series(bars.close, index=pd.to_datetime(bars.observed, unit="s", utc=True))
    with pytest.raises(DataError, match="closes"):
        network.simulate(series, prompt(), seed=0)


def test_quantised_paths_carry_the_quantiles_of_their_law_in_the_order_of_its_draws(trained, market: Market):
    net = NetForecaster.from_state(trained[1])
    prompt = Prompt(asset="ETH", start_time=START + 20 * 86400, num_simulations=200)
    history = market.as_of(prompt.start_time)
    plain, exact = net.simulate(history, prompt, seed=4), Quantised(net).simulate(history, prompt, seed=4)
    assert np.array_equal(exact, Quantised(net).simulate(history, prompt, seed=4))
    steps = [np.diff(np.log(paths), axis=1) for paths in (plain, exact)]
    np.testing.assert_array_equal(steps[0].argsort(axis=0), steps[1].argsort(axis=0))
    wide = np.diff(np.log(net.simulate(history, replace(prompt, num_simulations=20_000), seed=5)), axis=1)
    levels = (np.arange(200) + 0.5) / 200
    np.testing.assert_allclose(
        np.sort(steps[1], axis=0)[20:180], np.quantile(wide, levels, axis=0)[20:180], atol=0.1 * wide.std()
    )


def test_a_law_without_quantiles_shows_them_by_more_draws(trained, market: Market, monkeypatch: pytest.MonkeyPatch):
    net = NetForecaster.from_state(trained[1])
    prompt = Prompt(asset="ETH", start_time=START + 20 * 86400, num_simulations=200)
    history = market.as_of(prompt.start_time)
    exact = Quantised(net).simulate(history, prompt, seed=4)
    monkeypatch.setattr(GBMLaw, "quantiles", lambda *_: None)
    condensed = Quantised(net).simulate(history, prompt, seed=4)
    steps = [np.sort(np.diff(np.log(paths), axis=1), axis=0)[20:180] for paths in (exact, condensed)]
    assert np.abs(steps[0] - steps[1]).mean() < 0.08 * np.abs(steps[0]).mean()  # 0.14 by the 200 draws themselves


def test_a_law_is_asked_once_for_the_quantiles_of_all_prompts(trained, market: Market, monkeypatch: pytest.MonkeyPatch):
    asked, quantiles = [], GBMLaw.quantiles
    monkeypatch.setattr(GBMLaw, "quantiles", lambda law, levels: asked.append(len(levels)) or quantiles(law, levels))
    prompts = [Prompt(asset=name, start_time=START + 20 * 86400, num_simulations=50) for name in ("ETH", "BTC")]
    Quantised(NetForecaster.from_state(trained[1])).simulate_many(market.as_of(START + 20 * 86400), prompts, seed=4)
    assert asked == [50]


def test_fitting_without_validation_takes_the_same_steps(dataset: Dataset):
    watched, blind = trainer(dataset), trainer(dataset)
    watched.advance()
    assert blind.fit(rungs=1) == 20
    for name, value in watched._fit.average.items():
        assert torch.equal(value, blind._best[name])


def test_a_rung_that_takes_longer_than_it_may_is_cut_off(dataset: Dataset, monkeypatch: pytest.MonkeyPatch):
    now = iter(range(1000))  # every step takes a second
    monkeypatch.setattr("synthcity.nets.training.time.thread_time", lambda: float(next(now)))
    options = {"seed": 1, "num_rungs": 3, "max_steps": 18, "device": "cpu"}
    enough = Trainer(CONFIG, dataset, **options, rung_seconds=6.0)
    assert [enough.advance()["rung"], enough.advance()["rung"]] == [1, 2], "every rung has its own time"
    short = Trainer(CONFIG, dataset, **options, rung_seconds=2.5)
    with pytest.raises(TrialTimeout, match=r"timed out: 3 of 6 steps of rung 1 took longer than 2\.5 s"):
        short.advance()


def test_the_best_weights_are_kept_and_not_the_last(dataset: Dataset, monkeypatch: pytest.MonkeyPatch):
    fitted = trainer(dataset)
    scores = iter([5000.0, 4000.0, 4500.0])
    monkeypatch.setattr(fitted, "validate", lambda: WindowScores(by_asset={"BTC": 1.0}, blocks=[[next(scores), 1.0]]))
    averages, told = [], []
    for _ in range(3):
        told.append(fitted.advance())
        averages.append({name: value.clone() for name, value in fitted._fit.average.items()})
    assert [figures["score"] for figures in told] == pytest.approx([5000.0, 4000.0, 4000.0])
    assert [figures["rung_score"] for figures in told] == pytest.approx([5000.0, 4000.0, 4500.0])
    tensors, _ = states.parse(fitted.state())
    kept = states.group(tensors, "best")
    assert all(torch.equal(kept[name], value) for name, value in averages[1].items())
    assert not all(torch.equal(kept[name], value) for name, value in averages[2].items())
    resumed = trainer(dataset, state=fitted.state())
    assert all(torch.equal(resumed._best[name], value) for name, value in averages[1].items())


def recipe(**changes: object) -> dict[str, object]:
    return {**CONFIG, "training": {**CONFIG["training"], **changes}}


def test_a_state_of_before_there_were_recipes_goes_on_to_the_same_bits(dataset: Dataset):
    straight = trainer(dataset, steps=9)
    straight.advance()
    config = states.parse(straight.state())[1].config
    assert not {*RECIPE} & {*config["training"]}
    told = Trainer(recipe(**RECIPE), dataset, seed=1, num_rungs=3, max_steps=9, state=straight.state())
    straight.advance()
    told.advance()
    assert straight.state() == told.state()


def test_a_shorter_training_has_as_many_rungs_and_ends_its_schedule(dataset: Dataset):
    options = {"seed": 1, "num_rungs": 3, "device": "cpu"}
    short = Trainer(recipe(steps=0.4), dataset, max_steps=30, **options)
    told = [short.advance() for _ in range(3)]
    assert [rung["steps"] for rung in told] == [4, 8, 12]
    assert told[-1]["done"]
    by_itself = Trainer(CONFIG, dataset, max_steps=12, **options)
    assert [by_itself.advance()["rung_score"] for _ in range(3)] == [rung["rung_score"] for rung in told]


@pytest.mark.parametrize("change", [{"schedule": "trapezoid"}, {"tilt": 0.5}, {"half_life": 40}])
def test_each_part_of_a_recipe_trains_another_network_on_the_same_score(dataset: Dataset, change: dict[str, object]):
    options = {"seed": 1, "num_rungs": 1, "max_steps": 6, "device": "cpu"}
    plain, other = (Trainer(config, dataset, **options) for config in (CONFIG, recipe(**change)))
    assert plain.validate() == other.validate()
    assert plain.advance()["score"] != other.advance()["score"]
    again = Trainer(recipe(**change), dataset, **options, state=other.state())
    assert again.validate() == other.validate()


def test_an_older_window_is_drawn_half_as_often_for_every_half_life(dataset: Dataset):
    day = 86400 // dataset.spec.increment
    starts = dataset.train["BTC"][0] + day * np.arange(160)  # one a day
    aged = replace(dataset, train={**dataset.train, "BTC": starts})
    found, plain = trainer(dataset), trainer(dataset)
    found._train = plain._train = [starts]
    found._chances = _chances(aged, 40)
    drawn = [found._start(0, u) for u in (np.arange(20_000) + 0.5) / 20_000]
    counts, _ = np.histogram(drawn, bins=[starts[0] + 40 * day * k for k in range(5)])
    np.testing.assert_allclose(counts / counts[-1], [1 / 8, 1 / 4, 1 / 2, 1], atol=0.01)
    assert (found._start(0, 0.0), found._start(0, 1.0)) == (starts[0], starts[-1])
    assert [plain._start(0, u) for u in (0.0, 0.3, 0.999)] == [starts[0], starts[48], starts[159]]
