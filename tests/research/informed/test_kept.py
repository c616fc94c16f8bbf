from __future__ import annotations

import numpy as np
import pytest

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.market.bars import Market
from synthcity.research.control.recipes import Cycle, Follows
from synthcity.research.informed.kept import FEATURE, LOOKBACK, RECIPE, Kept, Recent
from synthcity.research.known import known_of
from synthcity.research.labbook import Origin
from synthcity.research.written import Written
from tests.research.conftest import ASSETS, STEP, WAVE
from tests.research.informed.conftest import WAVES


def test_an_item_is_read_and_known_by_its_hash(swings: Market) -> None:
    text = Kept.of("seven-hours", Origin(source=WAVE))
    assert (text.kind, WAVES.kind) == (FEATURE, RECIPE)
    assert len(text.sha256) == len(WAVES.sha256) == 64
    assert WAVES.sha256 == Kept.of("another", Origin(recipe=Cycle(hours=7.0, harmonics=1).to_dict())).sha256
    assert WAVES.sha256 != Kept.of("another", Origin(recipe=Cycle(hours=7.5, harmonics=1).to_dict())).sha256
    known = known_of(swings, ASSETS, STEP)
    assert isinstance(text.open(swings, known), Written)
    assert WAVES.open(swings, known) == Recent(Cycle(hours=7.0, harmonics=1))
    assert Kept.of("level", Origin(recipe={"kind": "level", "series": "x", "hours": 1.0, "above": 0.5})).series == "x"


@pytest.mark.parametrize(
    ("origin", "why"),
    [
        (Origin(), "neither a recipe nor a text"),
        (Origin(source="import os\n"), "the text of odd may not run"),
        (Origin(recipe={"kind": "moon"}), "unknown recipe 'moon'"),
    ],
)
def test_what_may_not_be_used_is_said(origin: Origin, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Kept.of("odd", origin)


def test_a_recipe_says_the_same_however_much_is_at_hand(swings: Market) -> None:
    one = Recent(Follows(leader="BTC", hours=2.0, span=1.0))
    whole = known_of(swings, ASSETS, STEP)
    now = int(whole.times[-1])
    less = known_of(
        Market({key: bars.slice(len(bars) - LOOKBACK // STEP - 5, len(bars)) for key, bars in swings.items()}),
        ASSETS,
        STEP,
    )
    ends = now + STEP * np.arange(1, 13)[None]
    said = [one.future(known, np.array([len(known) - 1]), ends) for known in (whole, less)]
    assert np.array_equal(*said)
    assert said[0].shape == (1, len(ASSETS), 12, 1)
    assert whole.recent(len(whole) - 1, DAY).times[0] == now - DAY + STEP
