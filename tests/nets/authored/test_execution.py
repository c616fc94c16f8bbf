"""How a locked process runs a file; tried in this one, since the texts are the tests' own."""

from __future__ import annotations

import sys

import pytest

from synthcity.nets import conformance, registry
from synthcity.nets.authored.code import AuthoredCode, forget
from synthcity.nets.authored.examples import BLOCK, HEAD
from synthcity.nets.authored.execution import check_unchanged, execute, packaged_classes
from synthcity.nets.authored.static import Refused
from synthcity.nets.heads.decoder import StepDecoder


@pytest.mark.parametrize("source", [BLOCK, HEAD])
def test_what_it_defines_keeps_the_contract_of_all_components(source: str) -> None:
    code = AuthoredCode.of(source)
    execute(code.name, code.source)
    try:
        assert conformance.check(registry.component(code.kind, code.name)) == {}
    finally:
        forget(code)


def test_running_it_gives_no_other_builtins_or_modules() -> None:
    """Even what was never read gets no further than the lists."""
    for line, error in {
        "open('x')": NameError,
        "import os": ImportError,
        "from synthcity import settings": ImportError,
        "eval('1')": NameError,
    }.items():
        with pytest.raises(error):
            execute("nothing", line)
    assert "synthcity_authored.nothing" not in sys.modules


FOREIGN = BLOCK.replace(
    "    def mix(",
    "    def spoil(self):\n        nn.init.zeros_(torch.ones(1))\n        return self.kernel\n\n    def mix(",
).replace("        padded = ", "        GatedAverageBlock.spoil(nn.Module)\n        padded = ")


def test_a_method_is_for_objects_of_its_own_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Called with a packaged class in place of ``self``, it could change that for all later trials."""
    code = AuthoredCode.of(FOREIGN)
    execute(code.name, code.source)
    try:
        broken = conformance.check(registry.component("block", "gated_average"))
        assert "a method of GatedAverageBlock was called for <class 'torch.nn.modules.module.Module'>" in broken["bf16"]
    finally:
        forget(code)


def test_a_changed_packaged_class_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = packaged_classes()
    check_unchanged(before)
    monkeypatch.setattr(StepDecoder, "forward", lambda self, x: x)
    with pytest.raises(Refused, match=r"it changed synthcity\.nets\.heads\.decoder\.StepDecoder: forward"):
        check_unchanged(before)
    monkeypatch.undo()
    monkeypatch.setattr(registry.component("head", "gbm").cls, "extra", 1, raising=False)
    with pytest.raises(Refused, match=r"GBMHead: extra"):
        check_unchanged(before)
