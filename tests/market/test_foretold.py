from __future__ import annotations

import numpy as np
import pytest

from synthcity.market.foretold import Foretold


def test_windows_get_what_is_foretold_at_their_start_and_no_other() -> None:
    told = Foretold(rows=np.array([3, 5, 9]), values=np.arange(6, dtype=np.float32).reshape(3, 2))
    assert told.at([9, 3, 3]).tolist() == [[4.0, 5.0], [0.0, 1.0], [0.0, 1.0]]
    for row in (4, 10):
        with pytest.raises(KeyError, match=f"nothing is foretold at the row {row}"):
            told.at([3, row])
