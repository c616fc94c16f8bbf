"""What a module may keep between calls, seen by looking at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from synthcity.errors import TrialFailed
from synthcity.nets.authored.execution import _PACKAGE
from synthcity.nets.authored.stateless import check_built, unchanged


@dataclass(frozen=True)
class Options:
    width: int = 3


@dataclass
class Loose:
    width: int = 3


class Keeper(nn.Module):
    def __init__(self, **attributes: object) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.register_buffer("seen", torch.zeros(2))
        for name, value in attributes.items():
            setattr(self, name, value)

    def forward(self, x: torch.Tensor, write: str = "") -> torch.Tensor:
        if write == "buffer":
            self.seen.add_(1)
        if write == "weight":
            self.inner.weight.detach().mul_(2)
        if write == "replace":
            self.seen = torch.ones(2)
        return self.inner(x)


@pytest.fixture(autouse=True)
def authored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Keeper, "__module__", f"{_PACKAGE}.keeper")
    return


@pytest.mark.parametrize(
    "value", [3, 0.5, "text", None, True, (1, (2, "x")), torch.Size((2,)), torch.float32, Options(), torch.tanh]
)
def test_constants_may_be_kept(value: object) -> None:
    check_built(nn.Sequential(Keeper(kept=value)))


@pytest.mark.parametrize(
    "value", [[], {}, {1}, (1, []), torch.zeros(2), Loose(), lambda x: x, iter(()), bytearray(1), object()]
)
def test_what_a_call_could_change_may_not(value: object) -> None:
    with pytest.raises(TrialFailed, match=r"Keeper\.kept is a"):
        check_built(nn.Sequential(Keeper(kept=value)))


def test_packaged_modules_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Keeper, "__module__", "synthcity.nets.blocks.keeper")
    keeper = Keeper(kept=[])
    check_built(keeper)
    with unchanged(keeper):
        keeper(torch.zeros(2), "buffer")


@pytest.mark.parametrize("write", ["buffer", "weight", "replace"])
def test_a_call_that_writes_into_its_module_is_seen(write: str) -> None:
    keeper = Keeper()
    with unchanged(keeper):
        keeper(torch.zeros(2))
    with pytest.raises(TrialFailed, match="changed its own parameters or buffers"), unchanged(keeper):
        keeper(torch.zeros(2), write)
