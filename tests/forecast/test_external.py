"""Forecasters from outside: found by name, saved, rebuilt, held to the contract."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from synthcity import plugins
from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.bundles.choose import choose, identify
from synthcity.forecast.dispatch import Dispatch, Route
from synthcity.forecast.external import save
from synthcity.forecast.quantise import Quantised
from synthcity.testing import check_forecaster
from tests.outside import DRIFTLESS, on_path, write_distribution

LEARNT = (
    DRIFTLESS
    + '''

class Learnt(Driftless):
    """One that has learnt a factor."""

    name = "learnt"

    def __init__(self, factor=1.0):
        self.factor = np.array([factor])

    def state(self):
        return {"note": "kept"}, {"factor": self.factor}

    @classmethod
    def from_state(cls, config, weights):
        assert config == {"note": "kept"}
        return cls(float(weights["factor"][0]))

    def simulate(self, history, prompt, *, seed=None):
        return self.factor[0] * super().simulate(history, prompt, seed=seed)


class Peeking(Driftless):
    """Looks into the market behind the history, and changes its name to nothing."""

    name = ""

    def simulate(self, history, prompt, *, seed=None):
        bars = history._market[prompt.asset, prompt.time_increment]
        paths = super().simulate(history, prompt, seed=None)
        return paths * bars.close[-1] / paths[0, 0]


nothing = 3


def raises():
    raise RuntimeError("no licence")
'''
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Path]:
    points = {
        "forecasters": {
            "driftless": "lab_walks:Driftless",
            "learnt": "lab_walks:Learnt",
            "three": "lab_walks:nothing",
            "raises": "lab_walks:raises",
            "path": "pathlib:Path",
        }
    }
    with on_path(write_distribution(tmp_path / "lab", "lab-walks", {"lab_walks": LEARNT}, points)) as folder:
        yield folder
    for name in ("Driftless", "Learnt", "Peeking"):
        plugins.forget(f"lab_walks:{name}")


def test_a_declared_one_is_chosen_by_name_and_keeps_the_contract(lab: Path) -> None:
    assert choose("driftless").name == "driftless"
    assert choose("driftless", quantised=True).name == "driftless+q"
    assert identify("driftless") == "forecaster:driftless:lab-walks:0.1"
    check_forecaster("driftless")
    check_forecaster("learnt")
    with pytest.raises(ConfigError, match=r"unknown forecaster 'driftles'; did you mean 'driftless'"):
        choose("driftles")


def test_one_that_breaks_the_contract_is_told_where(lab: Path) -> None:
    with pytest.raises(AssertionError) as told:
        check_forecaster("lab_walks:Peeking")
    for check in (
        "has_a_name_and_its_methods",
        "the_seed_decides",
        "the_future_changes_nothing",
        "paths_start_at_the_last_price",
    ):
        assert check in str(told.value)


def test_members_of_a_mix_and_a_dispatch_say_what_they_need(lab: Path, tmp_path: Path) -> None:
    both = Dispatch(
        [Route.parse("crypto-24h"), Route.parse("crypto-1h")], [Quantised(choose("driftless")), baseline("fhs")]
    )
    both.save(tmp_path / "both")
    assert load(tmp_path / "both").name == "dispatch"
    (lab / "lab_walks-0.1.dist-info" / "entry_points.txt").unlink()
    with (
        on_path(tmp_path),
        pytest.raises(BundleError, match=r"needs the forecaster driftless of lab-walks 0\.1, which is not installed"),
    ):
        load(tmp_path / "both")


def test_what_has_learnt_is_kept(lab: Path, tmp_path: Path) -> None:
    from lab_walks import Driftless, Learnt

    save(Learnt(1.25), tmp_path / "learnt")
    assert load(tmp_path / "learnt").forecaster.factor == np.array([1.25])  # type: ignore[attr-defined]
    with pytest.raises(BundleError, match="Driftless has no save method, nor state and from_state"):
        save(Driftless(), tmp_path / "driftless")
    Learnt.__module__ = "__main__"
    with pytest.raises(BundleError, match="Learnt is written in __main__"):
        save(Learnt(), tmp_path / "main")


def test_one_by_reference_is_saved_and_loaded_with_trust_alone(lab: Path, tmp_path: Path) -> None:
    choose("lab_walks:Driftless").save(tmp_path / "bundle")  # type: ignore[attr-defined]
    assert identify("lab_walks:Driftless") == "forecaster:lab_walks:Driftless:lab-walks:0.1"
    plugins.forget("lab_walks:Driftless")
    del sys.modules["lab_walks"]
    with pytest.raises(BundleError, match="the code lab_walks:Driftless, which no entry point names"):
        load(tmp_path / "bundle")
    assert "lab_walks" not in sys.modules
    assert load(tmp_path / "bundle", trust_code=True).name == "driftless"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("three", "lab_walks:nothing must be a class or function that makes a forecaster, not 3"),
        ("raises", "lab_walks:raises cannot be called: RuntimeError: no licence"),
        ("path", "pathlib:Path makes no forecaster: .*Path lacks simulate, simulate_many"),
        ("lab_walks:Driftles", "unknown name 'Driftles'; did you mean 'Driftless'"),
    ],
)
def test_what_is_no_forecaster_is_one_sentence(lab: Path, name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        choose(name)
