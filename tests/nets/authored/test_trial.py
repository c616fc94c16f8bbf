"""What an authored component goes through, tried on packaged ones: no process is started here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from synthcity.conformance import Broken
from synthcity.nets import registry
from synthcity.nets.authored import trial

DLINEAR = registry.component("block", "dlinear")
GBM = registry.component("head", "gbm")


def is_a(name: str) -> Callable[[Any, Any], bool]:
    return lambda block, noise: type(block).__name__ == name


def test_a_property_of_this_component_alone_passes() -> None:
    trial.check_property(DLINEAR, is_a(DLINEAR.cls.__name__))


def test_a_property_that_does_not_hold_is_told_with_its_seed() -> None:
    with pytest.raises(Broken, match=r"the property that the file states does not hold \(seed 1\)"):
        trial.check_property(DLINEAR, is_a("another"))


def test_a_property_has_to_hold_under_every_seed() -> None:
    calls: list[int] = []

    def twice(block: Any, noise: Any) -> bool:
        calls.append(1)
        return len(calls) < 3

    with pytest.raises(Broken, match=r"seed 3"):
        trial.check_property(DLINEAR, twice)


@pytest.mark.parametrize("entry", [DLINEAR, GBM])
def test_a_property_that_all_have_says_nothing(entry: registry.Component) -> None:
    with pytest.raises(Broken, match=f"as well, so it does not show what this {entry.kind} is for"):
        trial.check_property(entry, lambda subject, noise: True)


def test_a_property_that_only_fits_its_own_parts_says_nothing() -> None:
    """Asking for what another component does not have is no behaviour."""
    with pytest.raises(Broken, match="as well"):
        trial.check_property(registry.component("block", "lstm"), lambda block, noise: bool(block.lstm))


def test_a_block_is_asked_with_noise_and_a_head_with_its_law() -> None:
    seen: list[tuple[int, ...]] = []
    trial.check_property(DLINEAR, lambda block, x: seen.append(tuple(x.shape)) or is_a(DLINEAR.cls.__name__)(block, x))
    assert seen[0] == (2, 64, 16)
    law, noise = trial._built(GBM, 1)
    assert law.sample(200, noise).shape == (3, 200, 48)
    assert not torch.equal(noise["level"], trial._built(GBM, 2)[1]["level"])


def test_training_that_makes_it_worse_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Worse:
        scores = iter((5000.0, 5300.0))

        def __init__(self, *arguments: object, **options: object) -> None: ...

        def train_step(self) -> None: ...

        def advance(self) -> dict[str, float]:
            return {"rung_score": next(self.scores)}

    monkeypatch.setattr(trial, "dataset", lambda: None)
    monkeypatch.setattr(trial, "Trainer", Worse)
    with pytest.raises(Broken, match="24 steps of training took the score from 5000 to 5300"):
        trial.train(DLINEAR)
    Worse.scores = iter((5000.0, 5200.0))  # within what many free numbers may lose
    assert trial.train(DLINEAR) == [5000.0, 5200.0]
    Worse.scores = iter((5000.0, float("nan")))
    with pytest.raises(Broken, match="to nan"):
        trial.train(DLINEAR)
