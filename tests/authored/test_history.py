"""What authored code is given: fields alone, which nothing sets anew."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from synthcity.authored.history import History


def test_a_history_cannot_be_set_anew() -> None:
    history = History(now=1, assets=("BTC",), resolution=300, bars={}, series={})
    with pytest.raises(FrozenInstanceError):
        history.now = 2  # type: ignore[misc]
    assert np.int64(history.now) == 1
