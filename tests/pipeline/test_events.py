from __future__ import annotations

import pytest

from synthcity.errors import RunError
from synthcity.pipeline.events import Judged, LeadTold, Opened, Waiting, read_event, write_event
from tests.pipeline.standin import began


@pytest.mark.parametrize(
    "event",
    [
        began(3, 2, rival="bundles/a"),
        Opened(competitions=("crypto-24h",), world="REHEARSAL"),
        Waiting(until=5.0, reason="why"),
        Judged(round=1, passed=False, reason="x", leads={"fhs": LeadTold(mean=-1.0, low=None, high=None)}),
    ],
)
def test_an_event_comes_back_as_it_was(event: object) -> None:
    told = read_event(write_event(event, 7.1234))  # type: ignore[arg-type]
    assert (told.event, told.time) == (event, 7.123)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"kind": "danced", "time": 1.0}, "no event is of the kind 'danced'"),
        ({"kind": "waiting", "until": 1.0, "reason": ""}, "no event is of the kind 'waiting'"),
        ({"kind": "waiting", "time": 1.0, "until": "soon", "reason": ""}, "makes no sense"),
        ({"kind": "opened", "time": 1.0, "competitions": [], "version": 99}, "makes no sense"),
    ],
)
def test_what_is_no_event_is_one_sentence(line: dict[str, object], said: str) -> None:
    with pytest.raises(RunError, match=said):
        read_event(line)
