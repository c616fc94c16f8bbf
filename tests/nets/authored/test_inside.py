"""Networks in real locked children: as outside, and no text gets out of one; see ``escapes``."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from textwrap import indent

import numpy as np
import pytest

from synthcity.authored.locked.forks import ForkServer
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.errors import TrialFailed
from synthcity.forecast.bundles.bundle import load
from synthcity.market.bars import Market
from synthcity.market.dataset import Dataset
from synthcity.nets.authored import walled_network
from synthcity.nets.authored.examples import BLOCK, HEAD
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.training import Trainer
from synthcity.sn50.prompt import Prompt
from tests.nets.authored.escapes import ESCAPES, QUICK
from tests.nets.conftest import START, seasonal_bars

CONFIG: dict[str, object] = {
    "d_model": 16,
    "history": 24,
    "patch": 1,
    "blocks": [{"name": "gated_average"}],
    "training": {"batch_size": 24, "num_paths": 12},
}
LIMITS = SandboxLimits(cpu_seconds=60, wall_seconds=30.0, memory_bytes=1 << 30)
_MIX = "    def mix(self, x_bsd: Tensor) -> Tensor:\n"
_ASK = """        found = self.hostile(x_bsd) if self.training is {when} else None
        if found is not None:
            return found
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHUTES_API_KEY", "cpk_secret")
        with ForkServer("tests.nets.authored.unbound") as found:
            yield found


@pytest.fixture
def walled(server: ForkServer, written: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Children of a server that runs texts as they stand."""
    monkeypatch.setattr(walled_network, "shared_server", lambda worker: server)
    monkeypatch.setattr(walled_network, "LIMITS", LIMITS)


def trainer(dataset: Dataset, config: dict[str, object] = CONFIG) -> Trainer:
    return Trainer(config, dataset, seed=3, num_rungs=2, max_steps=4, device="cpu")


def test_from_a_training_to_an_answer_it_is_as_outside(
    dataset: Dataset, walled: None, unwalled: Callable[[], AbstractContextManager[None]], tmp_path: Path
) -> None:
    prompt = Prompt(asset="ETH", start_time=START + 20 * 86400, num_simulations=50)
    history = Market({("ETH", 300): seasonal_bars(24, 1, 300)}).as_of(prompt.start_time)
    config = {**CONFIG, "head": {"name": "plain_normal"}}
    fitted = trainer(dataset, config)
    rung = fitted.advance()
    NetForecaster.from_state(fitted.state()).save(tmp_path / "bundle")
    paths = load(tmp_path / "bundle", trust_code=True).simulate(history, prompt, seed=1)
    assert rung["isolation"].startswith("seccomp")
    assert [path.read_text() for path in sorted((tmp_path / "bundle" / "code").iterdir())] == [BLOCK, HEAD]
    with unwalled():
        plain = trainer(dataset, config)
        assert plain.advance()["rung_score"] == pytest.approx(rung["rung_score"], rel=1e-6)
        expected = NetForecaster.from_state(plain.state()).simulate(history, prompt, seed=1)
        np.testing.assert_allclose(paths, expected, rtol=1e-5)


def hostile(place: str, text: str) -> str:
    """Put a text into the packaged block."""
    if place == "file":
        return BLOCK.replace("@register_block", f"{text}\n\n\n@register_block")
    if place == "init":
        return BLOCK.replace("        d = context.d_model", f"{indent(text, 8 * ' ')}\n        d = context.d_model")
    method = f"    def hostile(self, x_bsd):\n{indent(text, 8 * ' ')}\n\n"
    return BLOCK.replace(_MIX, method + _MIX + _ASK.format(when=place == "train"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[dict[str, str]]:
    (tmp_path / "secret").write_text("the key")
    (tmp_path / "victim").write_text("as it was")
    tmp_path.chmod(0o777)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        names = {name: str(tmp_path / name) for name in ("secret", "victim")}
        yield {**names, "folder": str(tmp_path), "parent": str(os.getpid()), "port": str(listening.getsockname()[1])}
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret", "victim"]
    assert (tmp_path / "victim").read_text() == "as it was"


@pytest.fixture(scope="module")
def honest() -> dict[str, float]:
    return {}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in ESCAPES]
)
def test_nothing_gets_out(
    name: str,
    dataset: Dataset,
    walled: None,
    world: dict[str, str],
    honest: dict[str, float],
    server: ForkServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place, text, expected = ESCAPES[name]
    if not honest:
        honest["score"] = trainer(dataset).advance()["rung_score"]
    for key, value in world.items():
        text = text.replace("{" + key + "}", value)
    late = re.search("still running", expected) is not None
    limits = SandboxLimits(cpu_seconds=8, wall_seconds=2.0 if late else 30.0, memory_bytes=1 << 30)
    monkeypatch.setattr(walled_network, "LIMITS", limits)
    code = {"kind": "block", "name": "gated_average", "source": hostile(place, text)}
    monkeypatch.setattr(walled_network, "codes_of", lambda config: (code,))
    try:
        fitted = trainer(dataset)
        score = fitted.advance()["rung_score"]
        fitted.state()
        outcome = "trained"
    except TrialFailed as error:
        outcome = str(error)
    assert re.search(expected, outcome), outcome
    if name.startswith("harmless: "):
        assert score == pytest.approx(honest["score"], rel=1e-6)
    assert len(outcome) <= 2300
    assert outcome.replace("\n", "").isprintable()
    assert "the key" not in outcome
    assert "cpk_secret" not in outcome
    assert server.alive


def test_all_kinds_are_tried_every_time() -> None:
    assert set(QUICK) <= set(ESCAPES)
    assert len(ESCAPES) > 180
