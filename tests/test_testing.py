"""What others call to hold their parts against the contracts."""

from __future__ import annotations

from typing import Any

import pytest
from torch import Tensor, nn

from synthcity.authored.examples import FEATURES, FORECASTERS
from synthcity.authored.reading import Refused
from synthcity.errors import ConfigError
from synthcity.forecast.baselines import baseline
from synthcity.testing import (
    check_block,
    check_feature,
    check_forecaster,
    check_head,
    check_proposer,
    check_written_forecaster,
)


class Backwards:
    """A proposer that has no name and says too much."""

    def __init__(self, space: Any) -> None: ...

    def propose(self, count: int, history: Any, rng: Any) -> list[Any]:
        return [None] * (count + 1)


class Flat:
    """A forecaster that forgets its seed and the shape that it is asked for."""

    name = "flat"

    def simulate(self, history: Any, prompt: Any, *, seed: int | None = None) -> Any:
        return baseline("trailing").simulate(history, prompt)[:, 1:]

    def simulate_many(self, history: Any, prompts: Any, *, seed: int | None = None) -> list[Any]:
        return []


def test_packaged_parts_pass_by_their_names() -> None:
    check_block("dlinear", kernel=5)


@pytest.mark.parametrize("check", [check_block, check_head])
def test_a_wrong_name_gives_the_nearest(check: Any) -> None:
    with pytest.raises(ConfigError, match=r"did you mean '(dlinear|gbm)'"):
        check({check_block: "dlinar", check_head: "gbmm"}[check])


def test_a_forecaster_that_breaks_its_contract_is_told_line_by_line() -> None:
    with pytest.raises(AssertionError) as caught:
        check_forecaster(Flat)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("Flat breaks ")
    told = {line.split(":")[0].strip() for line in lines[1:]}
    assert {"paths_are_prices_of_the_asked_shape", "the_seed_decides"} <= told
    assert "has_a_name_and_its_methods" not in told


def test_a_proposer_that_breaks_its_contract_is_named() -> None:
    with pytest.raises(AssertionError, match="Backwards breaks"):
        check_proposer(Backwards)


def test_a_block_that_keeps_no_shape_is_told() -> None:
    class Short(nn.Module):
        """Cuts the last step off."""

        class Config: ...

        def __init__(self, context: Any, config: Any) -> None:
            super().__init__()

        def forward(self, x_bsd: Tensor) -> Tensor:
            return x_bsd[:, 1:]

    with pytest.raises((AssertionError, ConfigError)):
        check_block(Short)


def test_written_parts_are_checked_by_their_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthcity.authored.conformance.CHECKS", {"fails": lambda source: 1 / 0})
    monkeypatch.setattr("synthcity.forecast.conformance.CHECKS", {"fails_too": lambda make: make().no_such_name})
    with pytest.raises(AssertionError, match=r"others_move breaks 1 of its checks:\n  fails: ZeroDivisionError"):
        check_feature(FEATURES["others_move"])
    with pytest.raises(AssertionError, match=r"written_fhs breaks 1 of its checks:\n  fails_too: AttributeError"):
        check_written_forecaster(FORECASTERS["written_fhs"])
    for check in (check_feature, check_written_forecaster):
        with pytest.raises(Refused, match="import of os is not allowed"):
            check("import os\n")
