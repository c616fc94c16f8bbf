"""A network in one word."""

import pytest

from synthcity.nets.spelling import chain


@pytest.mark.parametrize(
    ("blocks", "word"),
    [(("transformer", "lstm"), "transformer+lstm>gbm"), (("lstm",), "lstm>gbm"), ((), "none>gbm")],
)
def test_blocks_stand_in_their_order_before_the_head(blocks: tuple[str, ...], word: str) -> None:
    assert chain(blocks, "gbm") == word
    assert chain(iter(blocks), "gbm") == word
