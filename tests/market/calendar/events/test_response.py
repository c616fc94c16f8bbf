import json

import numpy as np

from synthcity.market.calendar.events.event import Kind
from synthcity.market.calendar.events.response import EDGES, Responses

CURVE = (1.1, 6.0, 3.0, 2.0, 1.5, 1.3, 1.2, 1.05)
RESPONSES = Responses(
    until=1_750_000_000,
    num_events={Kind.CPI: 8},
    pooled={Kind.CPI: CURVE},
    own={Kind.CPI: {"BTC": (2.0, *CURVE[1:])}},
    opening=(1.6, 1.0, 0.9, 0.7, 0.5),
)


def test_a_curve_is_spread_over_minutes():
    minutes = RESPONSES.minutes(Kind.CPI, "HYPE")
    assert len(minutes) == EDGES[-1] - EDGES[0]
    assert minutes[:15].tolist() == [1.1] * 15
    np.testing.assert_allclose(minutes[15:20], 6.0 * np.array(RESPONSES.opening))
    assert minutes[[20, 25, 30, 45, 75, 135, 254]].tolist() == [3.0, 2.0, 1.5, 1.3, 1.2, 1.05, 1.05]


def test_an_asset_of_its_own_curve_has_that_and_others_the_pooled_one():
    assert RESPONSES.minutes(Kind.CPI, "BTC")[0] == 2.0
    assert RESPONSES.minutes(Kind.CPI, "ETH")[0] == 1.1
    assert RESPONSES.minutes(Kind.ROLL, "BTC") is None


def test_what_is_written_is_read_again():
    assert Responses.read(json.loads(json.dumps(RESPONSES.plain()))) == RESPONSES
