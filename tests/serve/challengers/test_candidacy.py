"""A bundle as a miner keeps it to race."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.errors import BundleError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.choose import identify
from synthcity.forecast.bundles.suitability import facts_of
from synthcity.forecast.quantise import Quantised
from synthcity.serve.challengers.candidacy import is_refit, keep, parts_of, race_of
from synthcity.serve.settlement.succession import Succession
from tests.forecast.bundles.test_facts import bundle, facts


def again(champion: Path, folder: Path, factor: int = 8) -> Path:
    """The same, as a refit is written: its manifest names its parent, its config is the parent's."""
    known = replace(facts("binance"), refit_of=identify(str(champion)))
    Quantised(baseline("fhs"), factor).save(folder, manifest=known.to_manifest())
    return folder


def test_the_bundle_has_its_own_prompts_and_the_champion_the_rest(tmp_path: Path) -> None:
    new = bundle(tmp_path / "new", facts("binance"))
    old = bundle(tmp_path / "old", facts("binance", competition="crypto-1h"))
    own = f"crypto-24h:BTC,ETH={new}"
    assert parts_of(new, None) == [own]
    assert parts_of(new, "fhs") == [own]
    assert parts_of(new, str(bundle(tmp_path / "same", facts("hyperliquid")))) == [own], "it answers nothing else"
    assert parts_of(new, str(old)) == [own, f"crypto-1h:BTC,ETH={old}"]
    known = ["crypto-24h:BTC,ETH=older", "crypto-1h:BTC=one", "crypto-1h:BTC,ETH=two"]
    assert parts_of(new, str(old), known) == [own, "crypto-1h:BTC=one", "crypto-1h:BTC,ETH=two"]
    Quantised(baseline("fhs")).save(tmp_path / "untold")
    assert parts_of(tmp_path / "untold", str(old)) == []


def test_what_is_kept_is_a_copy_with_all_its_parts(tmp_path: Path) -> None:
    new = bundle(tmp_path / "new", facts("binance"))
    old = bundle(tmp_path / "old", facts("binance", competition="crypto-1h"))
    alone = keep(tmp_path / "state", new, parts_of(new, "fhs"))
    assert (alone.parent, identify(str(alone))) == (tmp_path / "state" / "bundles", identify(str(new)))
    both = keep(tmp_path / "state", new, parts_of(new, str(old)))
    assert both.parent == alone.parent
    assert both == keep(tmp_path / "state", new, parts_of(new, str(old)))
    assert identify(str(alone)) == identify(str(new)), "it lies beside, not in the other's place"
    assert {one.competition for one in facts_of(str(both))} == {"crypto-24h", "crypto-1h"}


def test_only_files_of_the_bundle_are_copied(tmp_path: Path) -> None:
    new = bundle(tmp_path / "new", facts("binance"))
    whole = {str(path.relative_to(new)) for path in new.rglob("*") if path.is_file()}
    (tmp_path / "private").write_text("a key")
    (new / "members" / "link").symlink_to(tmp_path / "private")
    (new / "notes.txt").write_text("of whoever made it")
    kept = keep(tmp_path / "state", new, ())
    assert {str(path.relative_to(kept)) for path in kept.rglob("*") if path.is_file()} == whole
    (new / "config.json").rename(tmp_path / "config.json")
    (new / "config.json").symlink_to(tmp_path / "config.json")
    with pytest.raises(BundleError, match="is a link"):
        keep(tmp_path / "other", new, ())


def test_what_answers_is_left_as_it_is(tmp_path: Path) -> None:
    """A replica reads it, and its hash is in the ledger."""
    state, new = tmp_path / "state", bundle(tmp_path / "new", facts("binance"))
    old = bundle(tmp_path / "old", facts("binance", competition="crypto-1h"))
    champion = keep(state, new, parts_of(new, str(old)))
    Succession(named=str(champion), challenger=None, champion=str(champion), reason="").write(state)
    was, node = identify(str(champion)), champion.stat().st_ino
    moved = bundle(tmp_path / "moved", facts("binance"))
    assert keep(state, moved, parts_of(moved, str(old))) == champion, "the same parts from elsewhere"
    assert (identify(str(champion)), champion.stat().st_ino) == (was, node)
    assert keep(state, new, parts_of(new, str(champion))) != champion


def test_another_structure_is_no_refit_whatever_it_says(tmp_path: Path) -> None:
    champion = bundle(tmp_path / "champion", facts("binance"))
    assert is_refit(str(again(champion, tmp_path / "same")), str(champion))
    names = str(champion), str(tmp_path / "same")
    assert race_of(*names, from_place=False).is_refit
    assert not race_of(*names, from_place=True).is_refit, "whoever may write there could ask for the milder rule"
    tried = race_of(*names, from_place=False, on_trial=True)
    assert (tried.is_refit, tried.on_trial) == (False, True), "the stricter rule, whatever it is"
    assert not is_refit(str(again(champion, tmp_path / "other", factor=2)), str(champion))
    assert not is_refit(str(bundle(tmp_path / "says-nothing", facts("binance"))), str(champion))
    assert not is_refit(str(again(tmp_path / "same", tmp_path / "of-another")), str(champion))
    assert not is_refit("fhs", str(champion))
    with pytest.raises(BundleError):
        is_refit(str(tmp_path / "same"), str(tmp_path / "gone"))
