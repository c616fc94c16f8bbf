"""What a bundle tells of where it comes from, its members asked where it tells nothing itself."""

from __future__ import annotations

from pathlib import Path

from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.bundles.facts import SIMULATED
from synthcity.forecast.bundles.provenance import read_facts
from synthcity.forecast.dispatch import Dispatch, Route
from synthcity.forecast.mixing import Mix
from tests.forecast.bundles.test_facts import bundle, facts


def test_a_baseline_has_learned_nothing(tmp_path: Path):
    baseline("fhs").save(tmp_path / "fhs")
    assert read_facts(tmp_path / "fhs") == ()


def test_what_is_made_of_bundles_tells_what_they_tell(tmp_path: Path):
    real, made_up = bundle(tmp_path / "a", facts("binance")), bundle(tmp_path / "b", facts(SIMULATED))
    Mix([load(real), load(made_up), baseline("fhs")], [0.4, 0.3, 0.3]).save(tmp_path / "mix")
    assert read_facts(tmp_path / "mix") == (facts("binance"), facts(SIMULATED))
    routes = [Route.parse("crypto-24h:BTC"), Route.parse("crypto-24h")]
    Dispatch(routes, [load(tmp_path / "mix"), load(real)]).save(tmp_path / "all")
    assert read_facts(tmp_path / "all") == (facts("binance"), facts(SIMULATED))
    assert any(one.is_simulated for one in read_facts(tmp_path / "all"))
