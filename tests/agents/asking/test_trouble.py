from __future__ import annotations

from typing import Any

import pytest

from synthcity.agents.asking.trouble import diagnose


@pytest.mark.parametrize(
    ("status", "body", "cure"),
    [
        (400, {"detail": "invalid request JSON payload: x"}, "otherwise"),
        (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, "otherwise"),
        (401, {"detail": "Authentication required."}, "stop"),
        (403, "Forbidden", "stop"),
        (307, "", "stop"),
        (402, {"detail": {"message": "Quota exceeded"}}, "quota"),
        (404, {"detail": "model not found: X"}, "switch"),
        (408, None, "wait"),
        (429, {"detail": "infra_overload"}, "switch"),
        (429, {"detail": "no_targets"}, "switch"),
        (429, {"detail": "model is under maintenance"}, "switch"),
        (429, {"detail": "Stop spamming this prompt, please..."}, "wait"),
        (429, "", "wait"),
        (500, {"detail": "No result returned from upstream"}, "wait"),
        (503, {"detail": "No instances available (yet) for chute_id=1"}, "switch"),
        (524, "<html>timeout</html>", "switch"),
    ],
)
def test_the_table(status: int, body: Any, cure: str) -> None:
    trouble = diagnose(status, body, {})
    assert trouble.cure == cure
    assert not trouble.maybe_billed
    assert trouble.text.startswith(f"HTTP {status}")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"detail": "a\n b"}, "HTTP 400: a b"),
        ({"detail": {"message": "m", "x": 1}}, "HTTP 400: m"),
        ({"detail": {"x": 1}}, 'HTTP 400: {"x": 1}'),
        ({"error": {"message": "m", "code": 1}}, "HTTP 400: m"),
        ({"object": "error", "message": "too long"}, "HTTP 400: too long"),
        ({"error": "text"}, "HTTP 400: text"),
        ("plain", "HTTP 400: plain"),
        (None, "HTTP 400"),
        ("x" * 1000, "HTTP 400: " + "x" * 300 + "..."),
    ],
)
def test_the_server_is_quoted_in_one_line(body: Any, text: str) -> None:
    assert diagnose(400, body, {}).text == text


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("", None), ("-1", None), ("nan", None), ("1e99", None), ("Wed", None)],
)
def test_retry_after(header: str, seconds: float | None) -> None:
    trouble = diagnose(429, {"detail": "infra_overload"}, {"retry-after": header})
    assert trouble.wait_seconds == seconds
    assert diagnose(429, None, {}).wait_seconds is None


@pytest.mark.parametrize(
    ("until", "seconds"),
    [
        ("Fri, 27 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 27 Nov 2026 11:00:00 GMT", 0.0),
        ("Friday, 27-Nov-26 12:01:00 GMT", 60.0),
        ("Fri, 27 Nov 99999 12:00:30 GMT", None),
        ("soon", None),
    ],
)
def test_retry_after_as_a_date_is_held_against_the_servers_own(until: str, seconds: float | None) -> None:
    headers = {"retry-after": until, "date": "Fri, 27 Nov 2026 12:00:00 GMT"}
    assert diagnose(503, None, headers).wait_seconds == seconds


@pytest.mark.parametrize(
    ("stamp", "reset"),
    [
        ("2026-11-23T00:00:00+00:00", 1_795_392_000.0),
        ("2026-11-23T00:00:00", 1_795_392_000.0),
        ("2026-11-23T01:00:00+01:00", 1_795_392_000.0),
        ("soon", None),
        (17, None),
        (None, None),
    ],
)
def test_the_reset_of_a_quota(stamp: Any, reset: float | None) -> None:
    assert diagnose(402, {"detail": {"message": "", "quota_reset_timestamp": stamp}}, {}).reset == reset
    assert diagnose(402, {"detail": "text"}, {}).reset is None
