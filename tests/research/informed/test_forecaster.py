from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthcity.authored.locked.isolation import check_isolation
from synthcity.authored.locked.lock import NotIsolated
from synthcity.durations import DAY
from synthcity.errors import BundleError, NotCovered
from synthcity.forecast.baselines.har import Har
from synthcity.forecast.bundles.bundle import load, save_bundle
from synthcity.forecast.conformance import CHECKS
from synthcity.forecast.forecaster import Shifted
from synthcity.market.bars import Floats, Market, Times
from synthcity.research.informed.forecaster import Informed, Learned
from synthcity.research.informed.kept import Kept
from synthcity.research.inputs import InputRefused, Rows
from synthcity.research.known import Known
from synthcity.research.labbook import Origin
from synthcity.research.measuring.design import Scale
from synthcity.sn50.prompt import Prompt
from tests.research.conftest import ASSETS, START, STEP, STEPS, WAVE
from tests.research.informed.conftest import WAVES

NOW = START + 70 * DAY


def prompt(**changes: Any) -> Prompt:
    given = {"asset": "BTC", "time_increment": STEP, "time_length": STEPS * STEP, "num_simulations": 8, **changes}
    return Prompt(start_time=NOW, **given)


def by_hand(kept: Kept = WAVES, horizon: int = STEPS) -> Informed:
    """A forecaster whose one covariate makes steps e times as volatile where it is 1."""
    columns = 2 if kept is WAVES else 1
    scale = Scale(mean=np.zeros(columns), spread=np.ones(columns))
    nothing = Scale(mean=np.zeros(0), spread=np.ones(0))
    one = Learned(kept=kept, past=nothing, future=scale, coefficients=np.array([1.0, 0.0])[:columns])
    return Informed([one], assets=ASSETS, levels={"BTC": 2.0}, step=STEP, horizon=horizon)


def test_steps_are_those_of_har_times_what_inputs_say(swings: Market) -> None:
    history, forecaster = swings.as_of(NOW), by_hand()
    plain, informed = (np.diff(np.log(one.simulate(history, prompt(), seed=3))) for one in (Har(), forecaster))
    middle = prompt().grid[1:] - STEP / 2
    expected = np.exp(np.cos(2 * np.pi * middle / (7 * 3600))) / 2.0
    assert np.allclose(informed / plain, expected, rtol=1e-6)
    quantised = forecaster.simulate_quantised(history, [prompt()], seed=3)[0]
    assert np.allclose(
        np.diff(np.log(quantised)), np.diff(np.log(Har().simulate_quantised(history, [prompt()], seed=3)[0])) * expected
    )


def test_what_was_not_learned_is_answered_as_by_har_and_another_grid_is_refused(swings: Market) -> None:
    history, forecaster = swings.as_of(NOW), by_hand()
    eth = prompt(asset="ETH")
    assert np.array_equal(forecaster.simulate(history, eth, seed=1), Har().simulate(history, eth, seed=1))
    day = prompt(time_length=DAY)
    assert (forecaster.covers(prompt()), forecaster.covers(day)) == (True, False)
    with pytest.raises(NotCovered, match="learned for 48 steps of 300 s, not for 288 of 300 s"):
        forecaster.simulate(history, day, seed=1)


# made for one length, it refuses the other one that the check of shapes asks for
@pytest.mark.parametrize("check", [name for name in CHECKS if name != "paths_are_prices_of_the_asked_shape"])
def test_keeps_the_contract_of_all_forecasters(check: str) -> None:
    CHECKS[check](lambda: by_hand(horizon=DAY // STEP))


def test_a_recipe_travels_as_data_and_needs_no_trust(learned: Informed, swings: Market, tmp_path: Path) -> None:
    learned.save(tmp_path / "bundle")
    loaded = load(tmp_path / "bundle")
    history = swings.as_of(NOW)
    assert np.array_equal(loaded.simulate(history, prompt(), seed=5), learned.simulate(history, prompt(), seed=5))
    assert not (tmp_path / "bundle" / "code").exists()


def test_a_text_of_a_model_travels_as_code_that_must_be_trusted(tmp_path: Path) -> None:
    forecaster = by_hand(Kept.of("seven-hours-0a1b2c", Origin(source=WAVE)))
    forecaster.save(tmp_path / "bundle")
    assert (tmp_path / "bundle" / "code" / "0.py").read_text() == WAVE
    with pytest.raises(BundleError, match=r"code/0.py \(feature seven-hours-0a1b2c\); read it"):
        load(tmp_path / "bundle")
    loaded = load(tmp_path / "bundle", trust_code=True)
    assert isinstance(loaded, Informed)
    assert loaded.inputs[0].kept == forecaster.inputs[0].kept


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda config: config["inputs"][0].update(sha256="0" * 64), "differs from its hash"),
        (lambda config: config["inputs"][0]["recipe"].update(kind="moon"), "unknown recipe 'moon'"),
        (lambda config: config.update(levels={"BTC": 0.0}), "levels that are none"),
        (lambda config: config.update(levels={"SOL": 1.0}), "levels that are none"),
        (lambda config: config.update(step=0), "step"),
    ],
)
def test_a_bundle_of_another_form_is_refused(tmp_path: Path, edit: Callable[[dict[str, Any]], None], why: str) -> None:
    forecaster = by_hand()
    forecaster.save(tmp_path / "bundle")
    config = json.loads((tmp_path / "bundle" / "config.json").read_text())
    weights = {
        "0.coefficients": np.ones(2),
        "0.past.mean": np.zeros(0),
        "0.past.spread": np.zeros(0),
        "0.future.mean": np.zeros(2),
        "0.future.spread": np.ones(2),
    }
    edit(config)
    save_bundle(tmp_path / "bundle", {key: value for key, value in config.items() if key != "num_members"}, weights)
    with pytest.raises(BundleError, match=why):
        load(tmp_path / "bundle")


@pytest.mark.parametrize(
    "wrong",
    [{"0.coefficients": np.ones(3)}, {"0.future.mean": np.array([np.nan, 0.0])}, {"0.past.mean": np.zeros((1, 1))}],
)
def test_weights_of_another_form_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    by_hand().save(tmp_path / "bundle")
    config = json.loads((tmp_path / "bundle" / "config.json").read_text())
    weights = {
        "0.coefficients": np.ones(2),
        "0.past.mean": np.zeros(0),
        "0.past.spread": np.zeros(0),
        "0.future.mean": np.zeros(2),
        "0.future.spread": np.ones(2),
        **wrong,
    }
    save_bundle(tmp_path / "bundle", {key: value for key, value in config.items() if key != "num_members"}, weights)
    with pytest.raises(BundleError, match="another form"):
        load(tmp_path / "bundle")


def test_an_input_that_says_other_columns_than_it_did_is_refused(swings: Market) -> None:
    one = by_hand().inputs[0]
    other = replace(one, future=Scale(mean=np.zeros(3), spread=np.ones(3)), coefficients=np.ones(3))
    forecaster = Informed([other], assets=ASSETS, levels={"BTC": 1.0}, step=STEP, horizon=STEPS)
    with pytest.raises(InputRefused, match="other columns than when it was learned"):
        forecaster.simulate(swings.as_of(NOW), prompt(), seed=1)


def test_a_text_answers_in_a_locked_child_wherever_it_is_asked(swings: Market) -> None:
    try:
        check_isolation()
    except NotIsolated as error:
        pytest.skip(str(error))
    forecaster = by_hand(Kept.of("seven-hours-0a1b2c", Origin(source=WAVE)))
    said = forecaster.multiplier(swings.as_of(NOW), prompt())
    assert np.allclose(said, np.exp(np.cos(2 * np.pi * prompt().grid[1:] / (7 * 3600))) / 2.0, rtol=1e-6)


def test_an_asset_that_is_not_there_is_told_once_and_so_is_its_return(
    swings: Market, caplog: pytest.LogCaptureFixture
) -> None:
    forecaster = by_hand()
    alone = Market({key: bars for key, bars in swings.items() if key[0] != "ETH"})
    late = Market({key: bars.until(NOW - 5 * DAY) if key[0] == "ETH" else bars for key, bars in swings.items()})

    def told(market: Market) -> list[str]:
        caplog.clear()
        forecaster.simulate(market.as_of(NOW), prompt(), seed=1)
        return [record.getMessage() for record in caplog.records]

    assert told(swings) == []
    assert told(alone) == [f"har-inputs is told of gaps: ETH has no bars of 300 s ({WAVES.name})"]
    assert told(alone) == []
    assert told(swings) == [f"har-inputs is told of gaps: no more, all assets have bars ({WAVES.name})"]
    assert told(late) == [f"har-inputs is told of gaps: ETH has had no bar for 120 hours ({WAVES.name})"]


def test_members_of_a_mix_that_learned_the_same_ask_once(swings: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counting(self: Informed, market: Market, known: Known, rows: Rows, ends: Times) -> Floats:
        asked.append(len(rows))
        return multipliers(self, market, known, rows, ends)

    multipliers = Informed.multipliers
    monkeypatch.setattr(Informed, "multipliers", counting)
    history, one, same = swings.as_of(NOW), by_hand(), by_hand()
    assert np.array_equal(one.multiplier(history, prompt()), same.multiplier(history, prompt()))
    one.multiplier(history, prompt(asset="ETH"))
    assert asked == [1]
    other = Informed(one.inputs, assets=ASSETS, levels={"BTC": 1.0}, step=STEP, horizon=STEPS)
    assert np.array_equal(other.multiplier(history, prompt()), 2 * one.multiplier(history, prompt()))
    late = Shifted(**{**vars(prompt()), "shift": 60})
    assert not np.array_equal(one.multiplier(history, late), one.multiplier(history, prompt()))
    one.multiplier(swings.as_of(NOW), prompt())
    assert asked == [1] * 4
