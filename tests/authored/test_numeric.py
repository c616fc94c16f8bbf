"""What a child does with what it is sent; done here with a harmless text."""

from __future__ import annotations

import numpy as np
import pytest

from synthcity.authored import numeric
from synthcity.authored.locked.forks import ForkServer
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.authored.locked.wire import Message

SOURCE = """
def past(history):
    bars = history.bars[300]
    return [[float(len(bars.time)), bars.close[0, 0], bars.close[-1, 0], history.series["f"].value.sum()]]


def forecast(history, asset, ends, noise):
    return noise.normal + noise.uniform
"""
OPENING = Message({"source": SOURCE, "assets": ["BTC"], "resolution": 300, "rows": {"300": 3}, "seconds": 900})


def news(now: int, rows: list[int], call: str = "past", **values: object) -> Message:
    time = 300 * np.array(rows, dtype=np.int64)
    bars = np.repeat(np.array(rows, dtype=np.float64)[:, None, None], 5, axis=2)
    arrays = {"bars 300 time": time, "bars 300": bars, "series f time": time, "series f": time * 0.0 + 1}
    arrays["ends"] = np.arange(4)
    arrays["expected"] = np.ones(4)
    return Message({"now": now, "call": call, "series": ["f"], **values}, arrays)


def test_the_last_rows_are_kept_however_they_came() -> None:
    numeric.prepare()
    answer = numeric.begin(OPENING)
    seen = [
        answer(news(300 * rows[-1], rows)).arrays["answer"][0].tolist()
        for rows in ([1], [2, 3], [4], [5, 6, 7, 8, 9], [10])
    ]
    assert seen == [[1, 1, 1, 1], [3, 1, 3, 3], [3, 2, 4, 3], [3, 7, 9, 3], [3, 8, 10, 3]]


def test_what_is_given_is_read_only() -> None:
    answer = numeric.begin(
        Message({**OPENING.values, "source": SOURCE.replace("bars.close[0, 0]", "bars.close.sort()")})
    )
    with pytest.raises(ValueError, match="read-only"):
        answer(news(900, [1, 2, 3]))


def test_the_seed_decides_the_noise() -> None:
    answer = numeric.begin(OPENING)
    first, same, other = (
        answer(news(300, [n], "forecast", asset=0, paths=6, seed=seed)).arrays["answer"]
        for n, seed in ((1, 5), (2, 5), (3, 6))
    )
    assert first.shape == (6, 4)
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_no_listed_function_has_to_load_anything_once_it_is_locked() -> None:
    with ForkServer("tests.authored.probing") as server, server.fork(SandboxLimits()) as child:
        child.call(Message())
        assert child.call(Message()).values == {"found": {}}
