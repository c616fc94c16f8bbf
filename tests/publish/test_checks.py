from __future__ import annotations

import pytest

from synthcity.publish.checks import _same, no_secret
from synthcity.publish.gate import Examined
from synthcity.settings import Settings


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": [1.0, "x"]}, {"a": [1.0 + 1e-12, "x"]}, True),
        ({"a": 1.0}, {"a": 1.001}, False),
        ({"a": 1.0}, {"a": 1.0, "b": 2}, False),
        ([1, 2], [1], False),
        (True, 1, False),
        (None, 0, False),
        (float("nan"), float("nan"), False),
        ("1", 1, False),
    ],
)
def test_figures_are_the_same_within_a_billionth(one: object, other: object, same: bool) -> None:
    assert _same(one, other) is same


def test_a_secret_of_this_environment_does_not_leave(examined: Examined) -> None:
    assert examined.proof is not None
    found = examined.proof.evidence
    held = "synthcity-search"
    (found.folder / "test").write_text(f"key {held}")
    try:
        reason = no_secret(found, Settings.load({"HIPPIUS_SECRET_KEY": held}))
        assert reason.startswith("test holds the value of HIPPIUS_SECRET_KEY")
        assert held not in reason
    finally:
        (found.folder / "test").unlink()
