"""Patience with a venue: what is waited out, for how long, and what is told at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from synthcity.errors import ConfigError, SourceError
from synthcity.market.venues import http
from synthcity.market.venues.http import Patience, VenueClient

Make = Callable[..., VenueClient]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(http.time, "sleep", found.append)
    return found


@pytest.fixture
def make(waits: list[float]) -> Make:
    def client(*answers: Any, attempts: int = 4, url: str = "https://venue.test/", **more: Any) -> VenueClient:
        script = iter(answers)

        def handle(request: httpx.Request) -> httpx.Response:
            answer = next(script)
            if isinstance(answer, Exception):
                raise answer
            status, text, headers = answer
            return httpx.Response(status, text=text, headers=headers)

        patience = Patience(attempts=attempts, first_wait_seconds=1.0, longest_wait_seconds=5.0, pause_seconds=0.25)
        found = VenueClient("venue", url, "SYNTHCITY_VENUE_URL", patience, **more)
        found._client = httpx.Client(transport=httpx.MockTransport(handle))
        return found

    return client


def ok(text: str = "[1]") -> tuple[int, str, dict[str, str]]:
    return 200, text, {}


def test_waits_double_up_to_the_longest() -> None:
    patience = Patience(first_wait_seconds=1.0, longest_wait_seconds=5.0)
    assert [patience.wait(n) for n in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_an_answer_is_decoded_and_followed_by_the_usual_pause(make: Make, waits: list[float]) -> None:
    assert make(ok()).request("GET", "/x") == [1]
    assert waits == [0.25]


def test_passing_trouble_is_waited_out_longer_and_longer(make: Make, waits: list[float]) -> None:
    client = make((500, "", {}), httpx.ConnectError("no"), (429, "", {}), ok())
    assert client.request("GET", "/x") == [1]
    assert waits == [1.0, 2.0, 4.0, 0.25]


def test_a_venue_that_says_how_long_is_obeyed(make: Make, waits: list[float]) -> None:
    assert make((429, "", {"Retry-After": "3"}), ok()).request("GET", "/x") == [1]
    assert waits == [3.0, 0.25]


def test_a_pause_beyond_patience_is_told_at_once(make: Make, waits: list[float]) -> None:
    with pytest.raises(SourceError, match="venue asks for a pause of 6 seconds; what was fetched is stored") as caught:
        make((429, "", {"Retry-After": "6"})).request("GET", "/x")
    assert waits == []
    assert caught.value.pause_seconds == 6.0


@pytest.mark.parametrize(("status", "pause"), [(429, 10.0), (503, 0.0)])
def test_lasting_trouble_ends_with_its_number_of_attempts(
    make: Make, waits: list[float], status: int, pause: float
) -> None:
    with pytest.raises(
        SourceError, match=rf"HTTP {status}.*, 3 times in a row; .* later or set SYNTHCITY_VENUE_URL"
    ) as e:
        make(*[(status, "down", {})] * 3, attempts=3).request("GET", "/x")
    assert e.value.pause_seconds == pause
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize(
    ("answer", "more", "sentence"),
    [
        ((400, "bad  symbol\n", {}), {}, r"venue refuses the request \(HTTP 400: bad symbol\)"),
        ((404, "", {}), {}, r"\(HTTP 404: no reason given\)"),
        ((451, "", {}), {}, "refuses this region .HTTP 451.; set SYNTHCITY_VENUE_URL to an endpoint that serves it$"),
        ((451, "", {}), {"other_region": "https://other"}, "e.g. https://other$"),
        ((418, "", {"Retry-After": "99"}), {}, "has banned this address for 99 seconds"),
        ((418, "", {}), {}, "has banned this address for an unknown number of seconds"),
        ((200, "<html>", {}), {}, "answers with something else than JSON; check SYNTHCITY_VENUE_URL"),
        ((200, "[" * 100_000, {}), {}, "something else than JSON"),
    ],
)
def test_refusals_are_not_repeated(
    make: Make, waits: list[float], answer: Any, more: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SourceError, match=sentence):
        make(answer, **more).request("GET", "/x")
    assert waits == []


def test_a_status_may_mean_that_there_is_nothing(make: Make) -> None:
    assert make((404, "", {})).request("GET", "/x", missing=404) is None


def test_an_answer_without_end_is_cut(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_LARGEST_ANSWER", 1000)
    with pytest.raises(SourceError, match="answers with more than 0 MiB"):
        make(ok("1" * 1001)).request("GET", "/x")


def test_an_address_that_is_none_is_the_settings_fault() -> None:
    with (
        VenueClient("venue", "ftp://x", "SYNTHCITY_VENUE_URL", Patience()) as client,
        pytest.raises(ConfigError, match="SYNTHCITY_VENUE_URL is no URL: 'ftp://x'"),
    ):
        client.request("GET", "/x")
