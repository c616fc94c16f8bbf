from __future__ import annotations

import numpy as np
import pytest

from synthcity.research.measuring.design import LEADS, Columns, Scale, hats, input_columns, plain_columns
from synthcity.research.measuring.trial import Judge
from tests.research.conftest import ASSETS, FOLDS, STEPS, Wave


def test_the_weights_of_the_leads_add_up_to_one_at_every_step() -> None:
    assert np.allclose(hats(288).sum(axis=1), 1.0)
    assert hats(288)[0].argmax() == 0
    assert hats(288)[-1].argmax() == len(LEADS) - 1


def test_columns_are_scaled_by_what_was_known_before_any_fold(still: Judge) -> None:
    cases = still.cases
    before = cases.start < FOLDS.learn.end
    columns = input_columns(Wave(), cases, still.known, before, 0)
    laid = columns.laid
    assert laid.shape == (len(cases), STEPS, 1)
    assert (columns.num_future, len(columns.past.mean)) == (1, 0)
    assert laid[before].mean() == pytest.approx(0.0, abs=1e-3)
    assert laid[before].std() == pytest.approx(1.0, abs=1e-3)


def test_levels_by_asset_and_lead_are_always_there_and_drawn_to_nothing(still: Judge) -> None:
    assert plain_columns(still.cases).shape == (len(still.cases), STEPS, len(ASSETS) - 1 + len(LEADS))
    one, two = (Scale.of(np.zeros((4, count))) for count in (1, 2))
    columns = Columns(laid=np.zeros((1, STEPS, 3), dtype=np.float32), past=two, future=one)
    assert columns.strength.tolist() == [5.0 * STEPS, 20.0 * STEPS, 20.0 * STEPS]


def test_what_is_not_finite_or_never_changes_says_nothing() -> None:
    scale = Scale.of(np.array([[1.0, 5.0], [3.0, 5.0], [np.nan, np.inf]]))
    told = scale.apply(np.array([[2.0, 7.0], [3.0, np.nan], [np.inf, 5.0], [1e9, 5.0]]))
    assert told.tolist() == [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [8.0, 0.0]]
