"""When a champion is trained again, and what its race asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ray.exceptions import RayError, RayTaskError

from synthcity.durations import DAY
from synthcity.errors import ConfigError, TrialFailed
from synthcity.forecast.bundles.choose import identify
from synthcity.forecast.bundles.facts import SIMULATED, Facts
from synthcity.forecast.quantise import Quantised
from synthcity.market.dataset import build_dataset
from synthcity.market.periods import Period
from synthcity.market.simulated import SimulatedMarket
from synthcity.market.windows import WindowSpec
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.training import Trainer
from synthcity.pipeline.config import Sweep, load_pipeline
from synthcity.pipeline.events import Crowned, Deployed, Renewed, Told, Waiting
from synthcity.pipeline.state import Round, State
from synthcity.pipeline.steps.deploying import crowned, is_racing
from synthcity.pipeline.steps.renewing import EVERY_DAYS, MOST_IN_A_ROW, NEW_DAYS, due, learned_until, renewed
from synthcity.pipeline.steps.work import Rounds
from synthcity.pipeline.worlds.rehearsal import Rehearsal
from synthcity.search import renewal
from synthcity.serve.challengers.candidacy import is_refit, race_of
from synthcity.serve.settlement.challenge import Pair
from synthcity.serve.settlement.offer import Offer
from synthcity.serve.settlement.settle import read_scores
from synthcity.serve.settlement.succession import Succession
from synthcity.settings import Settings
from tests.forecast.bundles.test_facts import bundle, facts
from tests.pipeline.standin import began
from tests.serve.challengers.test_candidacy import again

FILE = Path(__file__).parents[3] / "configs" / "quickstart-pipeline.yaml"
LEARNED = 1_742_428_800  # 2025-03-20, when the bundle's validation ends
DUE = LEARNED + EVERY_DAYS * DAY
OLD, NEW = LEARNED - NEW_DAYS * DAY, LEARNED - 60 * DAY


@pytest.fixture
def champion(tmp_path: Path) -> Path:
    return bundle(tmp_path / "champion", facts("binance"))


@pytest.fixture
def miner(tmp_path: Path, champion: Path) -> Path:
    (tmp_path / "miner").mkdir()
    return answered_by(tmp_path / "miner", str(champion))


def answered_by(miner: Path, name: str) -> Path:
    Succession(named=name, challenger=None, champion=name, reason="").write(miner)
    return miner


def test_it_is_due_after_a_month_where_an_asset_was_new(miner: Path) -> None:
    first = {"BTC": OLD, "ETH": NEW}
    told = due(State(), miner, "crypto-24h", lambda: first, DUE)
    assert told == "it learned up to 2025-03-20 00:00, and ETH had less than 180 days of prices then"
    assert due(State(), miner, "crypto-24h", lambda: first, DUE - 1) is None
    assert due(State(), miner, "crypto-24h", lambda: {"BTC": OLD, "ETH": OLD, "SOL": NEW}, DUE) is None
    assert due(State(), miner, "crypto-1h", lambda: first, DUE) is None
    assert due(State(), answered_by(miner, "fhs"), "crypto-24h", dict, DUE) is None


def test_it_is_due_once_a_month_and_three_times_at_most(miner: Path) -> None:
    first = {"BTC": NEW, "ETH": NEW}
    one = Renewed(competition="crypto-24h", parent="p", state="s", reason="")
    tried = State().after(Told(event=one, time=DUE))
    assert due(tried, miner, "crypto-24h", lambda: first, DUE + 29 * DAY) is None
    assert due(tried, miner, "crypto-24h", lambda: first, DUE + 30 * DAY) is not None
    crown = Crowned(competition="crypto-24h", folder="f", bundle="b", reason="", is_refit=True)
    state = State()
    for i in range(MOST_IN_A_ROW):  # each trains all networks, for whichever competition it was due
        state = state.after(Told(event=replace(crown, competition=("crypto-24h", "crypto-1h")[i % 2]), time=0.0))
    assert due(state, miner, "crypto-24h", lambda: first, DUE) is None
    won = state.after(Told(event=replace(crown, competition="crypto-1h", is_refit=False), time=0.0))
    assert due(won, miner, "crypto-24h", lambda: first, DUE) is not None


def test_a_refit_that_is_crowned_leaves_the_looks_as_they_were_counted() -> None:
    state = State(rounds=(Round(began=began(), time=0.0),))
    crown = Crowned(competition="crypto-24h", folder="f", bundle="b", reason="", is_refit=True)
    assert state.after(Told(event=crown, time=0.0)).since == {}
    assert state.after(Told(event=replace(crown, is_refit=False), time=0.0)).since == {"crypto-24h": 1}


def test_it_is_trained_copied_and_offered(
    miner: Path, champion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "renew", lambda parent, store, folder: again(parent, folder))
    told = renewed(miner, "crypto-24h", "prices", tmp_path / "loop", "it is time")
    offer = Offer.read(miner)
    assert offer is not None
    assert (told.folder, told.bundle, told.parent) == (offer.folder, offer.bundle, str(champion))
    assert Path(told.folder).parent == miner / "bundles"
    assert is_refit(told.folder, str(champion))
    assert learned_until(told.folder) == 1_740_787_200, "the end of its train period, which is all of it"
    state = State().after(Told(event=told, time=DUE))
    assert is_racing(miner, state)
    Succession(named=str(champion), challenger=told.folder, champion=told.folder, reason="no worse").write(miner)
    [crown] = crowned(miner, state)
    assert (crown.is_refit, crown.competition, crown.reason) == (True, "crypto-24h", "no worse")


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("it holds no network"),
        TrialFailed("it holds no network"),
        RayTaskError("fit", "a traceback", TrialFailed("it holds no network")).as_instanceof_cause(),
        RayError("it holds no network\nsee the logs"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_be_trained_again_goes_on_to_be_served(
    error: Exception, miner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(renewal, "renew", refuse)
    told = renewed(miner, "crypto-24h", "prices", tmp_path / "loop", "it is time")
    assert (told.folder, told.reason) == ("", "it is time; but it holds no network")
    state = State(offered=("crypto-24h", Deployed(round=1, state="s", folder="old", bundle="b")))
    assert state.after(Told(event=told, time=DUE)).offered == state.offered
    assert Offer.read(miner) is None


@pytest.mark.slow
def test_a_champion_is_trained_again_by_the_loop_and_races_as_a_refit(tmp_path: Path) -> None:
    """Nothing is replaced: market, training on Ray, offer and the rehearsed miner's race are those of the loop."""
    miner, folder = tmp_path / "miner", tmp_path / "loop"
    settings = [f"folder={folder}", f"deploy={miner}", "settings=['data.assets=[BTC]', data.simulated.days=70]"]
    opening = load_pipeline(FILE, settings)
    [(competition, sweep)] = opening.sweeps.items()
    parent = _trained(tmp_path / "parent", sweep)
    world = Rehearsal(opening)
    rounds = Rounds(opening, world, Settings.load({}))
    state = State().after(Told(event=rounds.opened(), time=0.0))
    world.settle(state)  # makes the miner's folder
    answered_by(miner, str(parent))
    told = rounds.begin(state)
    assert isinstance(told, Renewed), told
    assert told.folder, told.reason
    assert is_refit(told.folder, str(parent))
    assert learned_until(told.folder, competition) == sweep.config.data.simulated.end // DAY * DAY
    now = world.now(state)
    state = state.after(Told(event=told, time=now))
    world.settle(state)
    state = state.after(Told(event=Waiting(until=now + 3 * DAY, reason=""), time=now))
    world.settle(state)
    assert is_racing(miner, state)
    assert race_of(str(parent), told.folder, from_place=False) == Pair(identify(str(parent)), told.bundle, True)
    settled = read_scores(miner / "ledger").groupby("bundle").size()
    assert settled[told.bundle] == settled[identify(str(parent))] > 0


def _trained(folder: Path, sweep: Sweep) -> Path:
    """A small network that learned from the first days of a sweep's market."""
    simulated = sweep.config.data.simulated
    start, end = simulated.epoch + 10 * DAY, simulated.epoch + 38 * DAY
    periods = {"train": Period(start=start, end=end - 3 * DAY), "validation": Period(start=end - 3 * DAY, end=end)}
    config = {"d_model": 16, "history": 24, "blocks": [], "head": {"name": "gbm"}}
    data = build_dataset(
        SimulatedMarket(simulated).market(["BTC"], end=end, resolution=300),
        competition="crypto-24h",
        rules="2026-09",
        spec=WindowSpec.of(300, 288),
        assets=("BTC",),
        train=(start, end - 3 * DAY),
        validation=(end - 3 * DAY, end),
        validation_every=DAY,
        coefficients={"BTC": 1.0},
    )
    trainer = Trainer(config, data, seed=1, num_rungs=1, max_steps=20)
    trainer.fit(rungs=1)
    told = Facts(venues=(SIMULATED,), competition="crypto-24h", rules="2026-09", assets=("BTC",), periods=periods)
    Quantised(NetForecaster.from_state(trainer.state())).save(folder, metrics={}, manifest=told.to_manifest())
    return folder
