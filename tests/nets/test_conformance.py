"""The suites for blocks and heads find who breaks them."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from synthcity.nets import conformance, registry
from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.heads.law import Law


@pytest.mark.parametrize("damage", [{"scale": 1.3}, {"shift": 0.3}, {"dead": True}, {"blind": True}], ids=str)
@pytest.mark.parametrize("name", registry.heads())
def test_a_broken_copy_of_a_head_is_found(name: str, damage: dict[str, float]):
    packaged = registry.component("head", name)

    class Copy(packaged.cls):  # type: ignore[misc, name-defined]
        def __init__(self, context: BuildContext, config: object) -> None:
            super().__init__(context, config)
            if "dead" in damage:
                self.dead = torch.nn.Linear(2, 2)

        def forward(self, latent_bsd: Tensor, future_bhf: Tensor) -> Law:
            law = super().forward(torch.nan_to_num(latent_bsd) if "blind" in damage else latent_bsd, future_bhf)
            sample, scale, shift = law.sample, damage.get("scale", 1.0), damage.get("shift", 0.0)
            law.sample = lambda *arguments, **options: scale * sample(*arguments, **options) + shift
            return law

    broken = conformance.check(replace(packaged, cls=Copy))
    expected = {"dead": "every_parameter_learns_from_the_score", "blind": "a_diverged_network_shows_in_the_paths"}
    assert expected.get(next(iter(damage)), "quantiles_are_those_of_the_draws") in broken
