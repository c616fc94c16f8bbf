from __future__ import annotations

import time

import httpx
import pytest

from synthcity.errors import ConfigError, RentError
from synthcity.rent.connection import Answer, Connection, NotReached, Patience, steady_time
from synthcity.rent.market import Market
from synthcity.settings import Secret, Settings
from tests.rent.builders import QUICK, Virtual, market
from tests.standins.market import TOKEN, Running


def test_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(ConfigError, match="BASILICA_API_TOKEN is not set"):
        Market.of(Settings())
    with pytest.raises(ConfigError, match="must begin with https"):
        Market("http://api.example.com", Secret("x"))
    Market("https://api.example.com", Secret("x")).close()


def test_a_token_that_the_market_tells_again_is_hidden() -> None:
    connection = Connection("https://api.example.com", Secret(TOKEN), Patience(), time.time, time.sleep)
    told = connection.fault(Answer(500, f"bad {'x' * 180} {TOKEN}".encode()))
    connection.close()
    assert told.startswith("the market at https://api.example.com fails (HTTP 500: bad xxx")
    assert TOKEN[:12] not in told


def test_what_drips_is_given_up(server: Running, clock: Virtual) -> None:
    begun = time.monotonic()
    server.set(faults=[{"on": "^offers", "what": "drip", "times": 9}])
    with market(server, clock) as found, pytest.raises(RentError, match="too slowly"):
        found.offers("gpu")
    assert time.monotonic() - begun < 10


def test_nobody_sets_the_clock_of_leases_and_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    before = steady_time()
    assert before == pytest.approx(time.time(), abs=5.0)
    monkeypatch.setattr(time, "time", lambda: before - 36_000.0)
    assert before <= steady_time() < before + 60.0


def test_odd_headers_blind_nobody(server: Running, clock: Virtual) -> None:
    connection = Connection(server.url, Secret(TOKEN), QUICK, clock.now, clock.sleep)
    date = "Mon, 01 Jan 99999999999 00:00:00 GMT"
    connection._note(httpx.Response(429, headers={"Retry-After": "86400", "Date": date}))
    assert connection.skew is None
    with pytest.raises(NotReached, match="asks for a pause of 300 more seconds"):
        connection.ask("GET", "/ssh-keys")
    assert "?[2J" in connection.excerpt(Answer(500, b"\x1b[2J"))
    connection.close()


def test_a_long_pause_is_no_reason_to_wait_and_holds_up_no_stop(server: Running, clock: Virtual) -> None:
    connection = Connection(server.url, Secret(TOKEN), QUICK, clock.now, clock.sleep)
    connection._not_before = clock.now() + 300
    with pytest.raises(NotReached, match="asks for a pause of 300 more seconds"):
        connection.ask("GET", "/ssh-keys")
    assert connection.ask("GET", "/ssh-keys", pauses=False).is_success
    connection.close()
