"""Every block keeps the contract of ``nets/conformance.py``; what makes it what it is stands in ``blocks/``."""

import pytest
from torch import nn

from synthcity.nets import conformance, registry
from synthcity.nets.conformance import BLOCK_CHECKS, CONTEXT

BLOCKS = sorted(registry.blocks())


def build(name: str, **options: object) -> nn.Module:
    return conformance.build(registry.component("block", name), options, CONTEXT).eval()


@pytest.mark.parametrize("check", BLOCK_CHECKS)
@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_keeps_the_contract(name: str, check: str):
    BLOCK_CHECKS[check](registry.component("block", name), {})
