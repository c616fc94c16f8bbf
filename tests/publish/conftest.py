from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # read when huggingface_hub is imported; the stand-in has no CAS
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from synthcity.publish import checks
from synthcity.publish import hub as publishing
from synthcity.publish import pull as pulling
from synthcity.publish.gate import Examined, gate
from synthcity.publish.publish import Prepared, prepared
from synthcity.publish.remote import Remote
from synthcity.publish.rescoring import Again, rescore
from synthcity.settings import Settings
from tests.ports import free_ports
from tests.publish.proven import copy_run
from tests.standins.hub import TOKEN, RunningHub, running_hub

REPO = "me/models"
_scored: dict[str, Again] = {}


def _score_once(bundle: Path, prompts: Path, *, trust_code: bool = False) -> Again:
    """Score a bundle again in a fresh process, unless the same bytes were scored before."""
    told = hashlib.sha256(prompts.read_bytes() + bytes([trust_code]))
    for path in sorted(path for path in bundle.rglob("*") if path.is_file()):
        told.update(f"{path.relative_to(bundle)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    if (known := told.hexdigest()) not in _scored:
        _scored[known] = rescore(bundle, prompts, trust_code=trust_code)
    return _scored[known]


@pytest.fixture
def scored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes are scored in one process for all tests, not in one for each look at them."""
    for module in (checks, publishing, pulling):
        monkeypatch.setattr(module, "rescore", _score_once)


@pytest.fixture(scope="session")
def server() -> Iterator[RunningHub]:
    with running_hub() as running:
        yield running


@pytest.fixture
def hub(server: RunningHub) -> RunningHub:
    """A Hub without a repository and without faults."""
    server.reset()
    return server


@pytest.fixture
def settings(hub: RunningHub) -> Settings:
    return Settings.load({"HF_TOKEN": TOKEN, "HF_REPO_ID": REPO, "HF_ENDPOINT": hub.url})


@pytest.fixture
def remote(hub: RunningHub) -> Remote:
    return Remote(repo=REPO, token=TOKEN, endpoint=hub.url, sleep=lambda _: None)


@pytest.fixture
def proven(tmp_path: Path) -> Path:
    """A proven run of one's own."""
    return copy_run(tmp_path / "runs" / "proven")


@pytest.fixture(scope="session")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examined]:
    """What the gate finds of a proven run, while it is open."""
    folder = copy_run(tmp_path_factory.mktemp("runs") / "proven")
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(checks, "rescore", _score_once)
            found = stack.enter_context(gate(folder, Settings.load({"HF_TOKEN": TOKEN})))
        yield found


@pytest.fixture(scope="session")
def ready(examined: Examined) -> Iterator[Prepared]:
    """A proven run as it would be published."""
    assert examined.proof is not None
    with prepared(examined.proof, Settings.load({"HF_REPO_ID": REPO})) as found:
        yield found


@pytest.fixture
def free_port() -> int:
    return free_ports(1)[0]
