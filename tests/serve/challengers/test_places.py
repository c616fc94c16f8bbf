"""Places where bundles turn up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.forecast.bundles.choose import identify
from synthcity.serve.challengers.places import open_place
from synthcity.vault import open_vault, push_bundle
from tests.forecast.bundles.test_facts import bundle, facts


def test_a_folder_tells_its_bundles_the_newest_first(tmp_path: Path) -> None:
    old, new = bundle(tmp_path / "a" / "z", facts("binance")), bundle(tmp_path / "a" / "b", facts("binance"))
    (tmp_path / "a" / "half").mkdir()
    bundle(tmp_path / "a" / ".draft.tmp", facts("binance"))
    os.utime(old / "manifest.json", (1, 1))
    found = list(open_place(str(tmp_path / "a"), tmp_path / "scratch").bundles())
    assert [(one.name, one.bundle, one.fetch()) for one in found] == [
        (str(new), identify(str(new)), new),
        (str(old), identify(str(old)), old),
    ]
    [itself] = open_place(str(new), tmp_path / "scratch").bundles()
    assert itself.fetch() == new


def test_a_vault_tells_what_was_pushed_last_and_brings_it(tmp_path: Path) -> None:
    vault = open_vault(str(tmp_path / "vault"))
    made = [bundle(tmp_path / name, facts(name)) for name in ("a", "b")]
    for one in made:
        push_bundle(vault, one)
    place = open_place(f"vault:{tmp_path / 'vault'}", tmp_path / "scratch")
    first, second = place.bundles()
    assert [first.bundle, second.bundle] == [identify(str(one)) for one in reversed(made)]
    assert first.name == f"b in {place.name}"
    for one in (first, second):
        assert one.fetch() == tmp_path / "scratch"
        assert identify(str(tmp_path / "scratch")) == one.bundle


def test_a_folder_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no folder .*none to watch; make it, or write vault:"):
        open_place(str(tmp_path / "none"), tmp_path)
    with pytest.raises(ConfigError, match="no vault is named"):
        open_place("vault:", tmp_path)
