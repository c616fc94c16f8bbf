from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.mixing import Mix
from synthcity.market.dataset import Dataset
from synthcity.nets import registry
from synthcity.nets.authored.code import (
    AuthoredCode,
    codes_of,
    forget,
    install,
    register,
)
from synthcity.nets.authored.examples import BLOCK
from synthcity.nets.authored.static import Refused
from synthcity.nets.config import NetConfig
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.training import Trainer
from tests.nets.authored.door import Here

CODE = AuthoredCode.of(BLOCK)
CONFIG = {"d_model": 16, "history": 24, "blocks": [{"name": "gated_average"}, {"name": "gru"}]}


Unwalled = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def registered(written: None) -> None:
    """As a search does it."""


def test_a_registered_file_is_known_by_what_it_says_and_not_run(
    registered: None, monkeypatch: pytest.MonkeyPatch, unwalled: Unwalled
) -> None:
    entry = registry.component("block", "gated_average")
    assert entry.code == CODE.to_dict()
    assert (entry.cost, entry.origin) == (None, None)
    assert codes_of(CONFIG) == (CODE.to_dict(),)
    register(CODE)  # again, as every trial of a worker does
    monkeypatch.delitem(sys.modules, "synthcity_authored.gated_average", raising=False)  # of a test that ran it
    forget(CODE)
    register(CODE)
    assert "synthcity_authored.gated_average" not in sys.modules
    with pytest.raises(ConfigError, match="wrote the block gated_average: it is built in locked processes alone"):
        entry.build(16, 24)
    described, config = registry.describe(), NetConfig.from_dict(CONFIG).to_dict()
    with unwalled():
        assert described == registry.describe()
        assert NetConfig.from_dict(CONFIG).to_dict() == config


def test_options_are_held_to_what_the_file_says(registered: None) -> None:
    with pytest.raises(ConfigError, match=r"gated_average.kernel is 4; it must be one of \[3, 5, 9\]"):
        NetConfig.from_dict({"blocks": [{"name": "gated_average", "kernel": 4}]})


def test_nothing_stays_of_a_forgotten_one() -> None:
    register(CODE)
    forget(CODE)
    assert "gated_average" not in registry.blocks()


def test_another_file_of_the_same_name_is_refused(registered: None) -> None:
    with pytest.raises(ConfigError, match="there is another block of the name gated_average"):
        register(AuthoredCode.of(BLOCK + "\nX = 1\n"))
    with pytest.raises(ConfigError, match="another block of the name gru"):
        register(AuthoredCode.of(BLOCK.replace("gated_average", "gru")))
    assert registry.component("block", "gru").code is None


def test_installing_reads_again_and_holds_the_hash_against_the_text() -> None:
    plain = CODE.to_dict()
    with pytest.raises(ConfigError, match="differs from its hash"):
        install([{**plain, "source": BLOCK + "\n"}])
    with pytest.raises(Refused, match="the name open is not available"):
        install([{**plain, "source": BLOCK.replace("        padded =", "        open('x')\n        padded =")}])
    assert "gated_average" not in registry.blocks()


@pytest.fixture
def bundle(registered: None, here: Here, dataset: Dataset, tmp_path: Path) -> Path:
    trainer = Trainer(CONFIG, dataset, seed=0, num_rungs=1, max_steps=2)
    trainer.fit(1)
    NetForecaster.from_state(trainer.state()).save(tmp_path / "bundle")
    forget(CODE)
    return tmp_path / "bundle"


def test_a_bundle_keeps_the_code_and_runs_it_only_for_who_trusts_it(bundle: Path) -> None:
    assert (bundle / "code" / "0.py").read_text() == BLOCK
    assert "code/0.py" in json.loads((bundle / "manifest.json").read_text())["sha256"]
    with pytest.raises(BundleError, match=r"code/0.py \(block gated_average\).*trust_code=True"):
        load(bundle)
    assert "gated_average" not in registry.blocks()
    assert load(bundle, trust_code=True).name == "gated_average+gru>gbm d16"


def test_trust_is_asked_for_members_too(bundle: Path, registered: None, tmp_path: Path) -> None:
    network = load(bundle, trust_code=True)
    Mix([network, network], [0.5, 0.5], name="pair").save(tmp_path / "mix")
    forget(CODE)
    with pytest.raises(BundleError, match=r"members/0/code/0.py .*members/1/code/0.py"):
        load(tmp_path / "mix")
    assert load(tmp_path / "mix", trust_code=True).name == "pair"


def test_trust_does_not_reach_edited_code(bundle: Path) -> None:
    path = bundle / "code" / "0.py"
    path.write_text(BLOCK.replace("sigmoid", "tanh"))
    with pytest.raises(BundleError, match=r"code/0.py differs from its hash"):
        load(bundle, trust_code=True)
    path.unlink()
    with pytest.raises(BundleError, match=r"code/0.py is missing"):
        load(bundle, trust_code=True)
    shutil.rmtree(bundle / "code")
    with pytest.raises(BundleError, match=r"code/0.py is missing"):
        load(bundle)


def test_trusted_code_is_still_read_before_it_runs(bundle: Path) -> None:
    """Whoever forges a bundle as a whole gets no further than the lists."""
    import hashlib

    text = BLOCK.replace("        padded =", "        open('x')\n        padded =")
    (bundle / "code" / "0.py").write_text(text)
    config = json.loads((bundle / "config.json").read_text())
    config["code"][0]["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (bundle / "config.json").write_text(json.dumps(config))
    manifest = json.loads((bundle / "manifest.json").read_text())
    for name in ("config.json", "code/0.py"):
        manifest["sha256"][name] = hashlib.sha256((bundle / name).read_bytes()).hexdigest()
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="the name open is not available"):
        load(bundle, trust_code=True)


@pytest.mark.slow
def test_another_process_needs_nothing_but_the_bundle(bundle: Path) -> None:
    line = f"from synthcity import load; print(load({str(bundle)!r}, trust_code=True).name)"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "gated_average+gru>gbm d16", done.stderr
