"""Whatever keeps Ray Serve from starting is a sentence."""

from __future__ import annotations

import pytest
from ray.exceptions import GetTimeoutError, RayError

from synthcity.errors import Fatal
from synthcity.serve.starting import started


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError("no proxy after 60s"), "it did not start in time (no proxy after 60s); this machine is busy, so"),
        (GetTimeoutError("not ready"), "it did not start in time (not ready); this machine is busy, so"),
        (RuntimeError("no port"), "it did not start: no port"),
        (RayError("lost"), "it did not start: lost"),
    ],
)
def test_what_did_not_start_is_told(error: Exception, said: str) -> None:
    with pytest.raises(Fatal) as told, started("it"):
        raise error
    assert str(told.value).startswith(said)


def test_a_mistake_of_ours_stays_what_it_is() -> None:
    with pytest.raises(KeyError), started("it"):
        raise KeyError("x")
