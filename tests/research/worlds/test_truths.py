from __future__ import annotations

import numpy as np
import pytest

from synthcity.durations import DAY, HOUR
from synthcity.research.worlds.truths import TRUTHS
from synthcity.research.worlds.world import STEP, draw_world


@pytest.mark.parametrize("kind", sorted(TRUTHS))
def test_a_world_is_louder_by_what_is_planted_and_foretold_by_what_was_known(kind: str) -> None:
    world = draw_world(1, ("BTC", "ETH"), "2025-01-01", 40, kind=kind)
    plain = draw_world(1, ("BTC", "ETH"), "2025-01-01", 40, kind="none")
    ratio = np.stack([world.known.returns(asset) / plain.known.returns(asset) for asset in ("BTC", "ETH")], axis=1)
    planted = np.exp(world.oracle.planted)
    assert np.allclose(ratio[1:], planted[1:], rtol=1e-4)
    assert (planted.std() > 0) == (kind != "none")
    assert world.truth["kind"] == kind
    rows = np.arange(21 * DAY // STEP, 38 * DAY // STEP, 97)
    ends = world.known.times[rows][:, None] + STEP * np.arange(1, 289)
    told = world.oracle.future(world.known, rows, ends)
    real = np.moveaxis(world.oracle.planted[np.clip(rows[:, None] + np.arange(1, 289), 0, len(planted) - 1)], 2, 1)
    if kind != "none":
        assert np.corrcoef(told.ravel(), real.ravel())[0, 1] > 0.4
        soon = slice(0, HOUR // STEP)
        assert np.allclose(told[:, :, soon, 0], real[:, :, soon])


@pytest.mark.parametrize("kind", ["lead-lag", "regime"])
def test_the_end_of_a_world_does_not_reach_its_beginning(kind: str) -> None:
    planted = draw_world(4, ("BTC", "ETH"), "2025-01-01", 40, kind=kind).oracle.planted
    assert not planted[: 6 * HOUR // STEP].any()
    assert planted.any()
