"""Blocks and heads of other distributions stand beside the packaged ones, in networks and in bundles."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from synthcity import plugins
from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.bundles.bundle import load
from synthcity.market.bars import Market
from synthcity.market.dataset import Dataset
from synthcity.nets import registry
from synthcity.nets.authored.code import codes_of, install
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.training import Trainer
from synthcity.search.candidates.presets import hand_written
from synthcity.search.candidates.space import Space, canonical
from synthcity.sn50.prompt import Prompt
from synthcity.testing import check_block, check_head
from tests.nets.conftest import START, seasonal_bars
from tests.outside import EMA, on_path, write_distribution

DECORATED = EMA.replace("class Ema", '@register_block("ema_here", causal=True)\nclass Ema') + "\n"
DECORATED = "from synthcity.nets.registry import register_block\n" + DECORATED.replace("    causal = True\n", "")
BY_REFERENCE = {"d_model": 16, "history": 24, "blocks": [{"name": "ema_file:Ema"}]}


@pytest.fixture
def ema(tmp_path: Path) -> Iterator[Path]:
    points = {"blocks": {"ema": "lab_ema:Ema"}}
    with on_path(write_distribution(tmp_path / "lab", "lab-ema", {"lab_ema": EMA}, points)) as folder:
        yield folder


@pytest.fixture
def ema_file(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "ema_file.py").write_text(EMA)
    with on_path(tmp_path) as folder:
        yield folder
    plugins.forget("ema_file:Ema")


def test_a_declared_block_is_one_like_any_other(ema: Path) -> None:
    entry = registry.component("block", "ema")
    assert entry.causal
    assert not entry.needs_seq_len
    assert entry.cost is None
    assert str(entry.origin) == "block ema of lab-ema 0.1"
    assert "exponential average" in entry.doc.lower()
    check_block("ema")
    with pytest.raises(AssertionError, match=r"Ema breaks \d+ of its checks"):
        check_block(entry.cls, dropout=2.0)


def test_the_search_space_holds_it_while_it_is_installed(ema: Path) -> None:
    points = {"blocks": {"ema_two": "lab_ema:Ema", "lost": "lab_ema:Lost"}}
    with on_path(write_distribution(ema.parent / "two", "lab-two", {}, points)):
        with pytest.raises(ConfigError, match=r"block lost of lab-two 0\.1 cannot be used: .* unknown name 'Lost'"):
            Space.from_registry()
        assert registry.component("block", "lstm").name == "lstm", "what is packaged does not need the others"
    points = {"blocks": {"ema_two": "lab_ema:Ema"}}
    with on_path(write_distribution(ema.parent / "three", "lab-three", {}, points)):
        space = Space.from_registry()
        assert {"ema", "ema_two", "lstm"} <= set(space.blocks)
        assert [parameter.name for parameter in space.blocks["ema"]] == ["dropout"]
    assert "ema_two" not in registry.blocks()


def test_what_is_of_another_kind_is_refused(ema: Path) -> None:
    points = {"heads": {"wrong": "lab_ema:Ema", "path": "pathlib:Path"}, "blocks": {"gru": "lab_ema:Ema"}}
    with on_path(write_distribution(ema.parent / "wrong", "lab-wrong", {}, points)):
        with pytest.raises(ConfigError, match=r"wrong of lab-wrong 0\.1 cannot be used: wrong is no head but a block"):
            registry.component("head", "wrong")
        with pytest.raises(ConfigError, match="path is no block or head: it must be a torch module with a nested"):
            registry.component("head", "path")
        with pytest.raises(ConfigError, match="synthcity has a block gru itself; lab-wrong must give its own another"):
            registry.blocks()
    with pytest.raises(ConfigError, match="must be a torch module with a nested dataclass Config"):
        registry.find("pathlib:Path")
    with pytest.raises(AssertionError, match="breaks"):
        check_head(type("Head", (registry.component("head", "gbm").cls,), {"forward": lambda self, a, b: None}))


def test_a_reference_is_no_name_until_a_person_writes_it(ema_file: Path) -> None:
    with pytest.raises(ConfigError, match="block ema_file:Ema is code that nobody named for this process"):
        canonical(BY_REFERENCE)
    assert "ema_file" not in sys.modules
    ((label, _),) = hand_written([BY_REFERENCE])
    assert label == "ema_file:Ema>gbm d16"
    assert canonical(BY_REFERENCE)["blocks"] == [{"name": "ema_file:Ema", "dropout": 0.0}]
    assert "ema_file:Ema" not in Space.from_registry().blocks, "one search's block is not in the space of the next"
    assert registry.find("ema_file:Ema")[0].kind == "block"


def test_workers_are_told_where_the_code_lies(ema_file: Path) -> None:
    hand_written([BY_REFERENCE])
    told = json.loads(json.dumps(codes_of(BY_REFERENCE)))
    assert told[0]["reference"] == "ema_file:Ema"
    plugins.forget("ema_file:Ema")  # as in another process
    install(told)
    assert registry.component("block", "ema_file:Ema").cls.__name__ == "Ema"
    with pytest.raises(
        ConfigError, match=r"block far of lab-far 0\.3 is not installed on this machine: pip install lab-far=="
    ):
        install(
            [
                {"kind": "blocks", "name": "far", "reference": "lab_far:Far", "distribution": "lab-far"}
                | {"version": "0.3", "declared": True}
            ]
        )


def test_a_module_may_register_its_class_itself(tmp_path: Path) -> None:
    (tmp_path / "ema_itself.py").write_text(DECORATED)
    with on_path(tmp_path):
        import ema_itself

        try:
            assert registry.component("block", "ema_here").causal
            (told,) = codes_of({"blocks": [{"name": "ema_here"}], "head": {"name": "gbm"}})
            assert (told["name"], told["reference"]) == ("ema_here", "ema_itself:Ema")
            ema_itself.Ema.__module__ = "__main__"
            with pytest.raises(ConfigError, match="ema_here is written in __main__"):
                codes_of({"blocks": [{"name": "ema_here"}]})
        finally:
            registry.remove("block", "ema_here")
            plugins.forget("ema_itself:Ema")


def saved(config: dict[str, object], dataset: Dataset, folder: Path) -> NetForecaster:
    trainer = Trainer(config, dataset, seed=1, num_rungs=1, max_steps=2)
    trainer.advance()
    forecaster = NetForecaster.from_state(trainer.state())
    forecaster.save(folder)
    return forecaster


def test_a_bundle_names_the_distribution_and_loads_while_it_is_there(
    ema: Path, dataset: Dataset, tmp_path: Path
) -> None:
    forecaster = saved({"d_model": 16, "history": 24, "blocks": [{"name": "ema"}]}, dataset, tmp_path / "bundle")
    (required,) = json.loads((tmp_path / "bundle" / "config.json").read_text())["requires"]
    assert (required["distribution"], required["version"], required["name"]) == ("lab-ema", "0.1", "ema")
    market = Market({("ETH", 300): seasonal_bars(24, 1, 300)})
    prompt = Prompt(asset="ETH", start_time=START + 20 * 86400 + 3600, num_simulations=5)
    history = market.as_of(prompt.start_time)
    first, second = (one.simulate(history, prompt, seed=2) for one in (forecaster, load(tmp_path / "bundle")))
    np.testing.assert_array_equal(first, second)
    shutil.rmtree(next(ema.glob("*.dist-info")))
    with on_path(ema.parent):  # a changed path is looked through anew
        for trust in (False, True):
            with pytest.raises(BundleError, match=r"needs the block ema of lab-ema 0\.1.*pip install lab-ema==0"):
                load(tmp_path / "bundle", trust_code=trust)


def test_a_bundle_of_a_reference_wants_trust(ema_file: Path, dataset: Dataset, tmp_path: Path) -> None:
    hand_written([BY_REFERENCE])
    saved(BY_REFERENCE, dataset, tmp_path / "bundle")
    plugins.forget("ema_file:Ema")
    del sys.modules["ema_file"]
    with pytest.raises(BundleError, match="the code ema_file:Ema, which no entry point names; if you trust it"):
        load(tmp_path / "bundle")
    assert "ema_file" not in sys.modules
    assert load(tmp_path / "bundle", trust_code=True).name == "ema_file:Ema>gbm d16"


def test_a_bundle_that_hides_what_it_requires_imports_nothing(ema_file: Path, dataset: Dataset, tmp_path: Path) -> None:
    """The name of a block in a config is no reason to import it, whatever the bundle's hashes say."""
    import hashlib

    hand_written([BY_REFERENCE])
    saved(BY_REFERENCE, dataset, tmp_path / "bundle")
    plugins.forget("ema_file:Ema")
    del sys.modules["ema_file"]
    config, manifest = (json.loads((tmp_path / "bundle" / f"{n}.json").read_text()) for n in ("config", "manifest"))
    text = json.dumps({key: value for key, value in config.items() if key != "requires"})
    (tmp_path / "bundle" / "config.json").write_text(text)
    manifest["sha256"]["config.json"] = hashlib.sha256(text.encode()).hexdigest()
    (tmp_path / "bundle" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="code that nobody named for this process"):
        load(tmp_path / "bundle", trust_code=True)
    assert "ema_file" not in sys.modules


def test_an_installed_block_passes_the_dry_run_of_a_search(ema: Path, dataset: Dataset) -> None:
    from synthcity.nets.training import Trainer

    figures = Trainer.check({"d_model": 16, "history": 24, "blocks": [{"name": "ema"}]}, dataset)
    assert figures["parameters"] > 100
