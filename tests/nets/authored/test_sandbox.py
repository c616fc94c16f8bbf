"""Reading and trying together; every judgement here starts a locked process, so most are slow."""

from __future__ import annotations

import pytest

from synthcity.authored.locked.isolation import Ending
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.nets import registry
from synthcity.nets.authored import sandbox
from synthcity.nets.authored.examples import BLOCK, HEAD
from synthcity.nets.authored.sandbox import Sandbox


def test_what_may_not_be_said_is_refused_without_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "run_isolated", None)
    verdict = Sandbox().judge("import os")
    assert (verdict.admitted, verdict.stage, verdict.isolation) == (False, "static", "")
    assert "import of os is not allowed" in verdict.reason
    taken = Sandbox().judge(BLOCK.replace("gated_average", "gru"))
    assert (taken.stage, taken.reason) == ("name", "there is a block of the name gru already; choose another")


@pytest.mark.parametrize(
    ("ending", "stage"),
    [
        (Ending(reason="it used up its CPU time"), "isolation"),
        (Ending(answer={"broken": {}, "property": "", "scores": []}, attempts=("open('x')",)), "attempt"),
        (Ending(answer={"broken": {"bf16": "not finite"}, "property": "", "scores": []}), "trial"),
    ],
)
def test_every_ending_but_one_refuses(monkeypatch: pytest.MonkeyPatch, ending: Ending, stage: str) -> None:
    monkeypatch.setattr(sandbox, "run_isolated", lambda *arguments: ending)
    verdict = Sandbox().judge(BLOCK)
    assert (verdict.admitted, verdict.stage) == (False, stage)
    assert verdict.reason
    assert verdict.to_dict()["name"] == "gated_average"


@pytest.mark.slow
@pytest.mark.parametrize("source", [BLOCK, HEAD])
def test_a_good_file_is_admitted_and_nothing_of_it_runs_here(source: str) -> None:
    verdict = Sandbox().judge(source)
    assert verdict.admitted, verdict.reason
    assert verdict.isolation.startswith("seccomp")
    assert len(verdict.scores) == 2
    assert verdict.property.endswith(".")
    assert verdict.code is not None
    assert verdict.code.name not in registry.blocks().keys() | registry.heads().keys()


BROKEN = {
    "a_window_does_not_depend_on_its_batch": ("value * torch.sigmoid(gate)", "value * torch.sigmoid(gate.mean(0))"),
    "causal_blocks_never_look_ahead": ("(self.kernel - 1, 0)", "(0, self.kernel - 1)"),
    "gradient_reaches_every_parameter": ("self.depthwise(padded)", "self.depthwise(padded).detach()"),
    "shape_at_any_length": ("(self.kernel - 1, 0)", "(self.kernel, 0)"),
    "stated_property": ("not bool(changed[29:].any())", "not bool(changed[21:].any())"),
    "as well": ("return bool(changed[20]) and not", "return bool(changed[20]) or not"),
    "MemoryError|alloc|memory": ("padded = F.pad(x_bsd", "padded = torch.zeros(10**11).sum() + F.pad(x_bsd"),
    "CPU time|still running": ("padded = F", "size = sum(i for i in range(10**12))\n        padded = F"),
}


@pytest.mark.slow
@pytest.mark.parametrize("check", BROKEN)
def test_what_breaks_the_contract_is_told_how(check: str) -> None:
    source = BLOCK.replace(*BROKEN[check])
    assert source != BLOCK
    verdict = Sandbox(limits=SandboxLimits(cpu_seconds=30, wall_seconds=200.0, memory_bytes=512 << 20)).judge(source)
    assert not verdict.admitted
    assert any(part in verdict.reason for part in check.split("|")), verdict.reason
