"""The pages: what they show, and that everybody can read it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from synthcity.bridge.dashboard.pages import docs_page, front, report_page, run_page
from synthcity.bridge.dashboard.routes import _style
from synthcity.bridge.jobs import board
from synthcity.bridge.operation import Refused
from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from synthcity.durations import DAY
from synthcity.pipeline.journal import read_told
from synthcity.pipeline.loop import run_loop
from synthcity.serve.settlement.succession import Succession
from tests.bridge.dashboard.html import Page, contrast
from tests.bridge.jobs.builders import Launched
from tests.history.builders import report, write_run
from tests.pipeline.standin import CONFIG, START, StandIn
from tests.serve.challengers.test_tenure import scored, settle

NAUGHTY = "<img src=x onerror=alert(1)>"


def test_the_front_shows_jobs_the_newest_run_all_runs_the_trend_and_the_miner(place: Place, launched: Launched) -> None:
    job = board.start(place, "default", "quick", {}, ["quick"])
    page = Page(front(place, "default"))
    assert page.problems == []
    assert [page.text(attrs).partition(":")[0] for attrs in page.all("h2")] == [
        "Jobs",
        "Newest run",
        "Runs",
        "Trend",
        "Pipeline",
        "Miner",
        "Key",
    ]
    assert [attrs["data-job"] for attrs in page.all("button") if "data-job" in attrs] == [job.id]
    assert len(page.all("svg")) == 2
    text = page.text(page.all("main")[0])
    for shown in ("sweep", "live", "proven", "goes on", "trial c0001", "knows no miner"):
        assert shown in text, shown


def test_an_empty_bridge_has_a_page_too(place: Place) -> None:
    empty = replace(place, runs=place.state / "none", data=None)
    page = Page(front(empty, "default"))
    assert page.problems == []
    assert "no run yet" in page.text(page.all("main")[0])
    assert "no pipeline yet; <code>synthcity pipeline</code> or <code>" in front(empty, "default")


def test_the_operator_sees_who_answers_since_when_what_shadows_and_what_it_cost_and_earned(place: Place) -> None:
    folder = place.pipelines_of("default") / "loop"
    run_loop(folder, CONFIG, StandIn(folder))
    Succession(named="fhs", challenger="har", champion="fhs", reason="it won", since=START).write(folder / "miner")
    day = (int(read_told(folder)[-1].time) // DAY - 3) * DAY
    settle(folder / "miner", scored("baseline:fhs", day, 900.0), scored("baseline:har", day, 850.0))
    page = Page(front(place, "default"))
    assert page.problems == []
    text = " ".join(page.text(page.all("main")[0]).split())
    for shown in (
        "stopped: 3 rounds are done",
        "3 published, 3 deployed, 0 refits",
        "0.75",
        "fhs since 2025-01-01 00:00: it won",
        "in its shadowhar",
        "Settled scores in basis points, lower is better, of the prompts that both answered",
        "Race in crypto-24h: too early, 0 of 8 blocks of 2 days",
    ):
        assert shown in text, (shown, text[text.find("Pipeline") :])
    for role, average in (("champion", "900.0"), ("challenger", "850.0")):
        assert re.search(rf"{role} ?crypto-24h ?{average} ?1 ?-", text), text


def test_a_run_has_a_page_and_its_report_where_it_wrote_one(place: Place) -> None:
    assert Page(run_page(place, "default", "live")).problems == []
    assert "The whole report" not in run_page(place, "default", "sweep")
    with pytest.raises(Refused, match="has no report yet"):
        report_page(place, "default", "sweep")
    (place.runs / "sweep" / "report.html").write_bytes(b"<p>whole</p>")
    assert "The whole report" in run_page(place, "default", "sweep")
    assert report_page(place, "default", "sweep") == b"<p>whole</p>"
    for draw in (run_page, report_page):
        with pytest.raises(Refused, match="there is no run"):
            draw(place, "default", "../sweep")


def test_what_others_wrote_is_shown_and_not_obeyed(place: Place) -> None:
    told = report()
    told["run"] = {**told["run"], "name": NAUGHTY, "competition": NAUGHTY}
    write_run(place.runs / "odd '\"&", told)
    for page in (front(place, "default"), run_page(place, "default", "odd '\"&")):
        assert "<img" not in page
        assert Page(page).problems == []


def test_all_operations_are_explained() -> None:
    page = Page(docs_page())
    assert page.problems == []
    assert {page.text(attrs).split()[0] for attrs in page.all("h2")} == set(operations())


def test_words_stand_out_from_what_is_behind_them_by_day_and_by_night() -> None:
    palettes = [found for found in re.findall(r":root \{(.*?)\}", _style(), re.S) if "--paper" in found]
    assert len(palettes) == 2
    for palette in palettes:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]+)", palette))
        for front_colour in ("ink", "muted", "good", "bad"):
            for behind in ("paper", "raised"):
                assert contrast(colours[front_colour], colours[behind]) >= 4.5, (front_colour, behind)
        assert contrast(colours["good"], colours["band"]) >= 4.5
        assert contrast(colours["c0"], colours["paper"]) >= 3.0
    assert contrast("#000", "#ffffff") == pytest.approx(21.0)
