"""What comes from outside is found by its name, and imported only where it may be."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthcity import plugins
from synthcity.errors import BundleError, ConfigError
from tests.outside import on_path, write_distribution

MODULE = "class Thing:\n    pass\n"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Path]:
    points = {"blocks": {"thing": "lab_things:Thing", "lost": "lab_things:Nothing", "gone": "lab_gone:Thing"}}
    with on_path(write_distribution(tmp_path / "lab", "lab-things", {"lab_things": MODULE}, points)) as folder:
        yield folder


def test_a_declared_name_is_found_with_its_distribution_and_not_imported(lab: Path) -> None:
    plugin = plugins.installed("blocks")["thing"]
    assert str(plugin) == "block thing of lab-things 0.1"
    assert plugin.declared
    assert plugins.find("blocks", "thing") == plugin
    assert plugins.find("heads", "thing") is None
    assert "lab_things" not in sys.modules
    assert plugins.load(plugin) is sys.modules["lab_things"].Thing
    assert plugins.merged("blocks", ["lstm"]) == ["lstm", "gone", "lost", "thing"]
    assert plugins.distributions()["lab-things"] == "0.1"


def test_what_cannot_be_imported_names_the_distribution(lab: Path) -> None:
    with pytest.raises(ConfigError, match=r"block lost of lab-things 0.1 cannot be used: .*unknown name 'Nothing'"):
        plugins.load(plugins.installed("blocks")["lost"])
    with pytest.raises(ConfigError, match=r"block gone of lab-things 0.1 cannot be used: .*No module named 'lab_gone'"):
        plugins.load(plugins.installed("blocks")["gone"])


def test_two_of_one_name_and_a_packaged_name_are_refused(lab: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"synthcity has a block thing itself; lab-things must give its own another"):
        plugins.merged("blocks", ["thing"])
    other = write_distribution(tmp_path / "b", "lab-twins", {}, {"blocks": {"thing": "lab_twins:Thing"}})
    with on_path(other), pytest.raises(ConfigError, match=r"block thing of lab-\w+ 0.1 is declared by lab-\w+ too"):
        plugins.installed("blocks")


def test_a_reference_is_imported_only_once_a_person_named_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_here.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert plugins.is_reference("mine_here:Thing")
    assert not plugins.is_reference("runs/sweep:winner")
    assert plugins.find("blocks", "mine_here:Thing") is None
    assert "mine_here" not in sys.modules
    plugins.allow("mine_here:Thing")
    try:
        plugin = plugins.find("blocks", "mine_here:Thing")
        assert plugin is not None
        assert not plugin.declared
        assert plugins.load(plugin) is sys.modules["mine_here"].Thing
        assert sys.path[-1] == os.getcwd(), "after all that is installed, so that it shadows nothing"
        assert tmp_path / "mine_here.py" in plugins.modules()
    finally:
        plugins.forget("mine_here:Thing")
        del sys.modules["mine_here"]


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("no_such_module:Thing", "cannot import no_such_module:Thing .*; install it, or work in the folder that holds"),
        ("pathlib:Paht", "unknown name 'Paht'; did you mean 'Path'"),
        ("this_raises:Thing", r"cannot import this_raises:Thing \(ZeroDivisionError: division by zero\)$"),
    ],
)
def test_a_wrong_reference_is_one_sentence(reference: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "this_raises.py").write_text("1 / 0\n")
    with on_path(tmp_path), pytest.raises(ConfigError, match=text):
        plugins.allow(reference)
    assert plugins.find("blocks", reference) is None


def test_a_bundle_gets_what_is_installed_and_no_more(lab: Path, caplog: pytest.LogCaptureFixture) -> None:
    where, thing = Path("bundle"), plugins.installed("blocks")["thing"]
    plugins.provide(thing, where=where, trust_code=False)
    assert "lab_things" not in sys.modules
    older = plugins.Plugin(**{**thing.to_dict(), "version": "0.0"})
    with caplog.at_level(logging.WARNING):
        plugins.provide(older, where=where, trust_code=False)
    assert "saved with the block thing of lab-things 0.0; 0.1 is installed" in caplog.text
    for changed, text in (
        (
            {"name": "other"},
            r"needs the block other of lab-things 0.1, which is not installed: pip install lab-things==",
        ),
        ({"distribution": "evil"}, "but lab-things declares that name here"),
        (
            {"name": "lab_things:Thing", "declared": False},
            r"lab_things:Thing, which no entry point names; if you trust",
        ),
    ):
        for trust in (False, True) if "declared" not in changed else (False,):
            with pytest.raises(BundleError, match=text):
                plugins.provide(plugins.Plugin(**{**thing.to_dict(), **changed}), where=where, trust_code=trust)
    assert "lab_things" not in sys.modules, "a bundle's word alone imports nothing"


def test_what_lies_in_main_cannot_be_named() -> None:
    with pytest.raises(ConfigError, match="Thing is written in __main__, where no other process finds it"):
        plugins.plugin_at("blocks", "__main__:Thing", "Thing")
