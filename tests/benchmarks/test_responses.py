import json
from pathlib import Path

import pytest

from benchmarks.responses import main
from synthcity.market.calendar.events.event import Kind
from synthcity.market.calendar.events.response import Responses
from synthcity.market.simulated import SimulatedMarket
from synthcity.market.store import Store


def test_editions_are_written_as_the_package_reads_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    bars = SimulatedMarket().bars("BTC", end=1_735_689_600 + 90 * 86_400)
    Store(tmp_path).append("BTC", "elsewhere", 300, bars)
    main(str(tmp_path), "2025-03-31", "2025-03-01")
    first, second = (Responses.read(one) for one in json.loads(capsys.readouterr().out))
    assert (first.num_events[Kind.CPI], second.num_events[Kind.CPI]) == (2, 3)
    assert set(second.own[Kind.CPI]) == {"BTC"}
