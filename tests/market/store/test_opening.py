"""From what a user names to a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcity import plugins
from synthcity.errors import ConfigError
from synthcity.market.store.opening import absolute, is_address, open_store
from synthcity.market.store.parquet import Store


@pytest.mark.parametrize(("where", "is_one"), [("lab://prices", True), ("data", False), (Path("/a/b:c"), False)])
def test_an_address_is_what_has_a_scheme(where: Path | str, is_one: bool) -> None:
    assert is_address(where) is is_one


def test_a_folder_means_the_same_elsewhere_and_an_address_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute("data") == str(tmp_path.resolve() / "data")
    assert absolute("lab://prices") == "lab://prices"


def test_a_folder_is_a_store_that_need_not_exist(tmp_path: Path) -> None:
    assert isinstance(open_store(tmp_path / "new"), Store)
    assert not (tmp_path / "new").exists()


def brought(monkeypatch: pytest.MonkeyPatch, made: object) -> None:
    monkeypatch.setattr(plugins, "installed", lambda kind: {"lab": "the plugin"} if kind == "stores" else {})
    monkeypatch.setattr(plugins, "load", lambda plugin: made)


def test_nobody_serves_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "installed", lambda kind: {})
    with pytest.raises(ConfigError, match=r"no store serves lab://x \(no distribution brings such stores\); name"):
        open_store("lab://x")


def test_a_scheme_that_is_near_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    brought(monkeypatch, None)
    with pytest.raises(ConfigError, match="unknown kind of store 'lob'; did you mean 'lab'"):
        open_store("lob://x")


def test_who_serves_is_called_with_the_whole_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []
    brought(monkeypatch, lambda where: asked.append(where) or Store(tmp_path))
    assert isinstance(open_store("lab://prices/minutes"), Store)
    assert asked == ["lab://prices/minutes"]


def test_what_is_no_store_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    brought(monkeypatch, lambda where: {})
    with pytest.raises(ConfigError, match="is no PriceStore but dict"):
        open_store("lab://x")
