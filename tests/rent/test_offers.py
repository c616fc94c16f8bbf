from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthcity.rent.config import NodeType
from synthcity.rent.offers import NoOffer, Offer, choose, rank
from tests.rent.builders import node_type

GPUS = ("A10", "A100", "H100", "GH100", "RTX A6000")
PRICES = st.decimals(min_value=Decimal("0.00"), max_value=Decimal("12.00"), places=2)
OFFERS = st.builds(
    Offer,
    id=st.uuids().map(str),
    kind=st.sampled_from(["gpu", "cpu"]),
    gpu=st.sampled_from(GPUS),
    gpu_count=st.sampled_from([1, 2, 8]),
    hourly=PRICES,
    is_available=st.booleans(),
    is_spot=st.booleans(),
    memory_gb=st.integers(1, 512),
)
WANTED = st.builds(
    lambda gpus, count, spot: node_type(gpus=tuple(gpus), count=count, spot=spot),
    st.lists(st.sampled_from(GPUS), unique=True, max_size=3),
    st.sampled_from([1, 2, 8]),
    st.sampled_from(["allow", "only", "never"]),
)


def offer(id_: str = "one", **values: object) -> Offer:
    return replace(Offer(id=id_, kind="gpu", gpu="A100", gpu_count=1, hourly=Decimal("1.35")), **values)


@given(offers=st.lists(OFFERS, max_size=12), wanted=WANTED, most=PRICES)
def test_whatever_is_ranked_is_what_was_wanted_at_a_price_that_it_may_have(
    offers: list[Offer], wanted: NodeType, most: Decimal
) -> None:
    ranked = rank(offers, wanted, most)
    for one in ranked:
        assert 0 < one.hourly <= most
        assert one.is_available
        assert one.kind == wanted.kind
        if wanted.gpus:
            assert one.gpu in wanted.gpus
            assert one.gpu_count == wanted.count
        assert one.is_spot in {"allow": (True, False), "only": (True,), "never": (False,)}[wanted.spot]
    assert [one.hourly for one in ranked] == sorted(one.hourly for one in ranked)
    assert rank(offers[::-1], wanted, most) == ranked
    assert set(ranked) >= set(rank(offers, wanted, most / 2))


def test_the_cheapest_goes_first_and_what_stays_before_spot() -> None:
    offers = [
        offer("dear", hourly=Decimal("1.40")),
        offer("spot", is_spot=True),
        offer("small", memory_gb=8),
        offer("large", memory_gb=120),
    ]
    found = rank(offers, node_type(spot="allow"), Decimal("1.50"))
    assert [one.id for one in found] == ["large", "small", "spot", "dear"]
    assert [one.id for one in rank(offers, node_type(spot="only"), Decimal("1.50"))] == ["spot"]


def test_none_is_told_with_the_cheapest_there_is() -> None:
    with pytest.raises(NoOffer, match=r"at most 1.00 USD an hour for gpu: the cheapest costs 1.35 USD an hour"):
        choose([offer(), offer("b", hourly=Decimal(9))], node_type(), Decimal("1.00"))
    with pytest.raises(NoOffer, match=r"1 H100 or A10, not spot, costs .* none is on offer at any price"):
        choose([offer()], node_type(gpus=("H100", "A10")), Decimal("1.00"))
