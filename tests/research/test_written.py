from __future__ import annotations

import numpy as np
import pytest

from synthcity.authored.feature import FeatureSource
from synthcity.authored.locked.isolation import check_isolation
from synthcity.authored.locked.lock import NotIsolated
from synthcity.research.measuring.trial import Judge
from synthcity.research.written import Written, panel_of
from tests.research.conftest import STEP, WAVE, Wave, market_of


@pytest.mark.slow
def test_a_text_says_what_the_same_input_of_ours_says(still: Judge) -> None:
    try:
        check_isolation()
    except NotIsolated as error:
        pytest.skip(str(error))
    known, rows = still.known, np.array([400, 900])
    ends = known.times[rows][:, None] + STEP * np.arange(1, 49)
    one = Written(FeatureSource.of(WAVE), panel_of(market_of(known), known))
    assert one.name == "seven_hours"
    assert one.past(known, rows).shape == (2, 2, 0)
    assert np.allclose(one.future(known, rows, ends), Wave().future(known, rows, ends))


def test_the_panel_holds_what_other_inputs_are_given(still: Judge) -> None:
    panel = panel_of(market_of(still.known), still.known)
    assert (panel.assets, panel.resolution) == (still.known.assets, STEP)
    assert set(panel.series) == set(still.known.series)
