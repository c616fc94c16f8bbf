"""What is foretold of the steps after some times: of one step another thing at every start, so no column of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, kw_only=True)
class Foretold:
    """Of a window that starts at the grid index ``rows[i]``, a value for each of its steps.

    ``rows`` (m,) in order; ``values`` (m, horizon), as of the start, known before any of the steps.
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float32]

    def at(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the values (k, horizon) of windows that start at ``rows`` (k,).

        Raises:
            KeyError: nothing is foretold at one of them.
        """
        wanted = np.asarray(rows, dtype=np.int64)
        found = np.minimum(np.searchsorted(self.rows, wanted), len(self.rows) - 1)
        if (self.rows[found] != wanted).any():
            raise KeyError(f"nothing is foretold at the row {wanted[self.rows[found] != wanted][0]}")
        return self.values[found]
