"""The gate's dry run of authored parts starts a locked process, so most of these are slow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from synthcity.authored.locked.isolation import Ending
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.errors import ConfigError, TrialFailed
from synthcity.market.dataset import Dataset
from synthcity.nets.authored import dry_run
from synthcity.nets.authored.code import AuthoredCode, forget, register
from synthcity.nets.authored.examples import BLOCK
from synthcity.nets.training import Trainer

CONFIG = {"d_model": 16, "history": 24, "blocks": [{"name": "gated_average"}]}
LIMITS = SandboxLimits(cpu_seconds=20, wall_seconds=120.0)


@pytest.fixture
def code() -> Iterator[AuthoredCode]:
    found = AuthoredCode.of(BLOCK)
    register(found)
    yield found
    forget(found)


def test_packaged_parts_need_no_process(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run, "run_isolated", None)
    found = dry_run.check({"d_model": 16, "history": 24, "blocks": [{"name": "gru"}]}, dataset)
    assert found["parameters"] > 0


@pytest.mark.parametrize(
    ("ending", "kind", "text"),
    [
        (Ending(reason="it was still running after 240 s"), TrialFailed, "still running"),
        (Ending(answer={"parameters": 1}, attempts=("open('x')",)), TrialFailed, "forbidden: open"),
        (Ending(answer={"error": "too wide", "kind": "config"}), ConfigError, "too wide"),
        (Ending(answer={"error": "loss is nan", "kind": "trial"}), TrialFailed, "loss is nan"),
    ],
)
def test_authored_parts_never_run_here(
    code: AuthoredCode, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, ending: Ending, kind: type, text: str
) -> None:
    sent: list[dict[str, object]] = []
    monkeypatch.setattr(Trainer, "check", None)
    monkeypatch.setattr(dry_run, "run_isolated", lambda function, payload, limits: sent.append(payload) or ending)
    with pytest.raises(kind, match=text):
        dry_run.check(CONFIG, dataset)
    assert (sent[0]["horizon"], sent[0]["num_assets"], sent[0]["codes"]) == (288, 2, [code.to_dict()])


@pytest.mark.slow
def test_a_good_one_is_measured_in_the_runs_own_context(code: AuthoredCode, dataset: Dataset) -> None:
    found = dry_run.check_isolated(CONFIG, [code.to_dict()], dataset, LIMITS)
    assert found["parameters"] == Trainer.check(CONFIG, dataset)["parameters"]
    assert 0 < found["step_seconds"] < 5


@pytest.mark.slow
def test_one_that_never_ends_there_costs_its_deadline(dataset: Dataset) -> None:
    """With the contract's own sizes it would have passed: it waits for a network of 72 steps of 16."""
    line = "size = sum(i for i in range(10**12)) if x_bsd.shape[1] == 24 and x_bsd.shape[0] == 48 else 0"
    code = AuthoredCode.of(BLOCK.replace("        padded = ", f"        {line}\n        padded = "))
    with pytest.raises(TrialFailed, match=r"CPU time|still running"):
        dry_run.check_isolated(CONFIG, [code.to_dict()], dataset, LIMITS)
