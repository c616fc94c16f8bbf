"""What ``synthcity serve`` says by itself: how old its prices are, and why it refuses."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Protocol

from synthcity.errors import DataError, SynthcityError
from synthcity.market.store import open_store
from synthcity.market.times import format_time
from synthcity.serve.answering.prices import StorePrices
from synthcity.serve.answering.tally import Status
from synthcity.serve.build import STORE, ServeConfig
from synthcity.serve.preflight import CheckState, check_prices

EVERY_SECONDS = 5.0


class Told(Protocol):
    """What is being served; ``deployment.Deployed`` is one."""

    def status(self) -> Status:
        """How it stands; raises ``SynthcityError`` where nobody tells."""


def told_at_start(config: ServeConfig) -> list[str]:
    """What whoever starts a service should know of its prices, a sentence each."""
    if config.live_assets:
        return []
    prices, now = StorePrices(open_store(config.store)), time.time()
    try:
        assets = prices.assets
        if config.as_of == STORE:
            return [f"{one} is answered as of {format_time(int(now - prices.age(one, now)))}" for one in assets]
    except DataError:  # refused in words before anything starts
        return []
    found = check_prices(prices, assets, now)
    if found.state is CheckState.OK:
        return []
    return [f"warning: {found.text}; with --as-of store people are answered as of the last one"]


def follow(
    served: Told, ended: threading.Event, *, tell: Callable[[str], None], every_seconds: float = EVERY_SECONDS
) -> None:
    """Tell of troubles as they come and go until ``ended``; one that only changes its numbers is told once."""
    before: set[str] = set()
    while not ended.wait(every_seconds):
        try:
            status = served.status()
            problems = [*filter(None, (status.shut, *status.problems))]
        except SynthcityError as error:
            problems = [str(error)]
        kinds = {re.sub(r"\d+", "#", problem): problem for problem in problems}
        for kind in kinds.keys() - before:
            tell(f"{format_time(int(time.time()))}  {kinds[kind]}")
        if before and not kinds:
            tell(f"{format_time(int(time.time()))}  all is well again")
        before = set(kinds)
