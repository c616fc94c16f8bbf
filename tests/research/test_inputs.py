from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from synthcity.market.bars import Floats, Times
from synthcity.research.inputs import InputRefused, Rows, ask
from synthcity.research.known import Known
from synthcity.research.measuring.trial import Judge
from tests.research.conftest import FOLDS, STEP, Wave


@dataclass(frozen=True)
class Shaped:
    """Says as many columns as it is told, for as many rows as it is told."""

    columns: int
    missing: int = 0
    value: float = 1.0
    name: str = "shaped"

    def past(self, known: Known, rows: Rows) -> Floats:
        return np.full((len(rows) - self.missing, len(known.assets), self.columns), self.value)

    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        return np.zeros((len(rows), len(known.assets), ends.shape[1], 0))


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (Shaped(columns=9), "9 columns; 8 are the most"),
        (Shaped(columns=1, missing=1), "has the shape"),
        (Shaped(columns=0), "says nothing"),
        (Shaped(columns=1, value=np.nan), "never change"),
        (Shaped(columns=1), "never change"),
    ],
)
def test_a_broken_contract_is_refused_with_its_reason(still: Judge, one: Shaped, why: str) -> None:
    with pytest.raises(InputRefused, match=why):
        still.test([one], FOLDS.finding)


def test_what_is_said_has_a_row_a_prompt(still: Judge) -> None:
    rows = np.array([300, 600])
    ends = still.known.times[rows][:, None] + STEP * np.arange(1, 49)
    said = ask(Wave(), still.known, rows, ends, np.random.default_rng(0))
    assert said.past.shape == (2, 2, 0)
    assert said.future.shape == (2, 2, 48, 1)
