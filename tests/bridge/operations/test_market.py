"""Prices of the bridge's store."""

from __future__ import annotations

from dataclasses import replace

import pytest
from jsonschema import validate

from synthcity.bridge.operation import Refused
from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from synthcity.market.store import open_store


@pytest.mark.parametrize(
    ("name", "given"), [("price", {"asset": "BTC"}), ("price_history", {"asset": "BTC", "days": 1}), ("store", {})]
)
def test_answers_are_what_their_schemas_say(place: Place, name: str, given: dict[str, object]) -> None:
    validate(operations()[name].do(given, place, "default"), operations()[name].output_schema)


def test_the_newest_price_is_the_stores_last_close(place: Place) -> None:
    bars = open_store(place.data).load("BTC", 300)
    told = operations()["price"].do({"asset": "BTC"}, place, "default")
    assert (told["price"], told["time"], told["venue"]) == (bars.close[-1], int(bars.observed[-1]), "simulated")
    closes = operations()["price_history"].do({"asset": "BTC", "days": 2}, place, "default")
    assert closes["step_seconds"] == 300
    assert closes["points"][-1] == [int(bars.observed[-1]), bars.close[-1]]
    assert operations()["price_history"].do({"asset": "BTC", "days": 366}, place, "default")["step_seconds"] == 86_400


def test_no_store_and_no_such_asset_are_told(place: Place) -> None:
    with pytest.raises(Refused, match="holds no price of 'ETH'"):
        operations()["price"].do({"asset": "ETH"}, place, "default")
    with pytest.raises(Refused, match="start it with --data") as told:
        operations()["store"].do({}, replace(place, data=None), "default")
    assert told.value.status == 404
