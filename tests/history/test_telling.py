"""What a listing says."""

from __future__ import annotations

import json

from synthcity.history.listing import Listing
from synthcity.history.telling import COLUMNS, cells, moment, plain_listing, plain_trend, plot
from synthcity.history.trends import trend
from tests.history.builders import row

ROWS = (row("a", -0.3, day=1), row("b", -2.0, day=2, proven=False), row("c", -0.8, day=3, score=5100.0))


def test_a_line_of_the_table() -> None:
    told = dict(zip(COLUMNS, cells(row("a\x1b", -0.5, usd=1.5, trials=40, name="")), strict=True))
    assert told["run"] == "a?"
    assert (told["lead"], told["95 % interval"]) == ("−0.50 % over fhs", "−0.75 to −0.25 %")
    assert (told["verdict"], told["trials"], told["USD"]) == ("proven", "40", "1.50")
    assert cells(row("a", name="b"))[0] == "a (b)"
    assert cells(row("a", is_simulated=True, is_open=True))[5] == "proven, SIMULATED, goes on"
    assert cells(row("a", None, verdict="unfinished"))[3:6] == ("-", "-", "unfinished")


def test_json_has_the_keys_that_others_know() -> None:
    listing = Listing(source="local", rows=ROWS, left_out={"damaged": 1})
    told = json.loads(json.dumps(plain_listing(listing, "best", ROWS[:1])))
    assert (told["total"], told["order"], [run["id"] for run in told["runs"]]) == (3, "best", ["a"])
    assert told["runs"][0]["created_at"] == "2025-10-10T08:53:20Z"
    assert told["left_out"] == {"damaged": 1}
    trends = json.loads(json.dumps(plain_trend(listing, trend(ROWS))))
    assert [point["running_best_crps"] for point in trends["timeline"]] == [5000.0, 5000.0, 5100.0]
    assert [point["running_best_lead"] for point in trends["timeline"]] == [-0.3, -0.3, -0.8]
    assert (trends["best_run"], trends["improvement"], trends["total_runs"]) == ("c", 0.5, 3)
    assert (trends["best_crps"], trends["latest_crps"]) == (5100.0, 5100.0)
    assert plain_trend(Listing(source="local", rows=()), trend([]))["best_run"] is None


def test_the_plot_shows_what_is_proven_and_stays_in_80_columns() -> None:
    drawn = plot(trend(ROWS)).splitlines()
    assert drawn[0] == "   +0.00 % |"
    assert drawn[-3].startswith("   −2.00 % | o")
    assert [line.count("*") for line in drawn].count(1) == 2
    many = [row(f"r{n}", -0.5 - n % 7 / 10, day=n, proven=n % 3 == 0) for n in range(5_000)]
    assert max(map(len, plot(trend(many)).splitlines())) <= 80
    assert plot(trend([])) == ""


def test_leads_that_are_all_none_are_a_line() -> None:
    assert plot(trend([row("a", 0.0)])).splitlines()[0].endswith("|*")


def test_a_moment_is_in_utc() -> None:
    assert moment(0.9) == "1970-01-01T00:00:00Z"
