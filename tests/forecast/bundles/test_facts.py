"""What a bundle tells of where it comes from, and that it goes on telling it wherever it is put."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthcity.errors import BundleError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.bundles.facts import SIMULATED, Facts
from synthcity.forecast.bundles.provenance import read_facts
from synthcity.forecast.bundles.verified import MANIFEST
from synthcity.forecast.quantise import Quantised
from synthcity.market.periods import Periods

PERIODS = {
    "train": ["2025-01-01", "2025-03-01"],
    "validation": ["2025-03-01", "2025-03-20"],
    "test": ["2025-04-01", "2025-05-01T10:00"],
}


def facts(*venues: str, competition: str = "crypto-24h", rules: str = "2026-09") -> Facts:
    return Facts.of_search(
        venues=venues, competition=competition, rules=rules, assets=["BTC", "ETH"], periods=Periods.parse(PERIODS)
    )


def bundle(folder: Path, known: Facts) -> Path:
    Quantised(baseline("fhs")).save(folder, manifest={**known.to_manifest(), "winner": "c0001"})
    return folder


def test_a_bundle_tells_all_of_it(tmp_path: Path):
    assert read_facts(bundle(tmp_path / "a", facts("binance"))) == (facts("binance"),)
    assert not facts("binance").is_simulated
    assert str(facts("binance").learned) == "2025-01-01 00:00 to 2025-03-20 00:00"
    told = "prices of binance origin; crypto-24h, rules 2026-09; BTC, ETH; learned from 2025-01-01 00:00 to 2025-03-20"
    assert str(facts("binance")) == f"{told} 00:00"
    assert str(facts(SIMULATED)).startswith("SIMULATED prices; ")


def test_an_older_bundle_is_unknown_in_what_it_does_not_tell(tmp_path: Path):
    old = {key: value for key, value in facts("binance").to_manifest().items() if key != "venues"}
    Quantised(baseline("fhs")).save(tmp_path / "old", manifest=old)
    (found,) = read_facts(tmp_path / "old")
    assert found.venues == ()
    assert found.assets == ("BTC", "ETH")
    assert not found.is_simulated
    assert "prices of unknown origin" in str(found)
    assert str(Facts()) == "prices of unknown origin; unknown, rules unknown; unknown assets; learned from unknown"
    assert Facts().learned is None


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_saved_again_still_tells(tmp_path: Path, times: int):
    folder = bundle(tmp_path / "0", facts(SIMULATED))
    for time in range(times):
        load(folder).save(folder := tmp_path / str(time + 1))  # type: ignore[attr-defined]
    assert read_facts(folder) == (facts(SIMULATED),)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("venues", "binance", "venues is 'binance', not a list of texts"),
        ("assets", [1], r"assets is \[1\], not a list"),
        ("competition", 24, "competition is 24, not a text"),
        ("rules", {}, r"rules is \{\}, not a text"),
        ("periods", [], r"periods are \[\], not texts by name"),
        ("periods", {"train": "soon"}, "'soon' is no time"),
        ("periods", {"train": "2025-02-01 to 2025-01-01"}, "ends before it begins"),
    ],
)
def test_nonsense_in_a_manifest_is_one_sentence(tmp_path: Path, key: str, value: object, sentence: str):
    folder = bundle(tmp_path / "a", facts("binance"))
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, key: value}))
    with pytest.raises(BundleError, match=f"manifest.json makes no sense: .*{sentence}"):
        read_facts(folder)
    with pytest.raises(BundleError, match="makes no sense"):
        load(folder)
