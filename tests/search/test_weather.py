"""Searches whose language model fails in every way, or whose own process is killed while it is asked."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from synthcity.agents.standin.process import running_standin
from synthcity.agents.transcript import spent
from synthcity.lines import read_all
from synthcity.search.config import ArmConfig
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import JOURNAL, read_events
from synthcity.search.journal.progress import Progress
from synthcity.search.proposers.arm_table import arm_rows
from synthcity.search.report.report import _degraded
from tests.agents.conftest import KEY
from tests.agents.policies import WEATHER
from tests.search.trials.test_tuning import Search

pytestmark = pytest.mark.slow
CAP = 0.3  # USD
ASKING = ("llm.refine", "llm.structure")
ARMS = {
    "tpe": {"share": 0.2, "floor": 0.1, "ceiling": 0.9},
    "random": {"share": 0.1, "floor": 0.05, "ceiling": 0.5},
    "llm.refine": {"share": 0.4, "floor": 0.1, "ceiling": 0.8},
    "llm.structure": {"share": 0.3, "floor": 0.1, "ceiling": 0.8},
}
PATIENCE = {"attempts": 2, "read_seconds": 1.0, "first_wait_seconds": 0.05, "deadline_seconds": 6, "rest_seconds": 0.2}


def make(folder: Path, **budget: object) -> Search:
    search = Search(folder, {"seconds": 0.8}, rungs=1, arms=ARMS, llm_ceiling=0.8, **budget)
    search.options["llm"] = {"patience": PATIENCE, "caps": {"usd_per_run": CAP}}
    return search


def spending(search: Search) -> float:
    return sum(spend.usd for spend in spent(read_all(search.folder / "llm.jsonl")).values())


def holds_no_key(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        data = path.read_bytes()
        assert KEY.encode() not in data, path
        assert KEY.split(".")[-1].encode() not in data, path


def test_a_search_in_all_weathers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHCITY_LLM_API_KEY", KEY)
    with running_standin("tests.agents.policies:weather") as server:
        server.script({"listing": "no_features"})
        monkeypatch.setenv("SYNTHCITY_LLM_BASE_URL", server.url)
        search = make(tmp_path, trials=40)
        search.start().finish()
        asked = len(server.questions())
    history = search.history()
    assert len(history.finished) == 40
    assert asked > len(WEATHER)
    assert spending(search) <= CAP
    assert sum(answer.usd for answer in history.answers) <= spending(search) + 1e-9  # the last may have come too late
    # no wait for a model, on however busy a machine: the shortest fault that waits lasts a second
    assert max(map(float, (search.folder / "suggest.txt").read_text().split())) < 0.9
    notes = "\n".join(_degraded(Progress(search.history()), None, None, is_over=True))
    rows = {row["name"]: row for row in arm_rows(history, {name: ArmConfig(**arm) for name, arm in ARMS.items()})}
    for source in ASKING:
        failures = [answer.error for answer in history.answers if answer.source == source and not answer.proposals]
        told = [event for event in search.events() if event["kind"] == "proposer_failed" and event["source"] == source]
        assert failures
        assert {event["error"] for event in told} <= set(failures)
        assert len(failures) - 1 <= len(told)  # the last may stand alone: the search was over
        assert (f"The proposer {source} failed" in notes) == bool(told)
        assert rows[source]["in_vain"] == len(failures)
    assert any(record.candidate.source in ASKING for record in history.records)
    holds_no_key(tmp_path)


def test_killed_while_it_asks_nothing_is_paid_for_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHCITY_LLM_API_KEY", KEY)
    with running_standin("tests.agents.policies:slow") as server:
        monkeypatch.setenv("SYNTHCITY_LLM_BASE_URL", server.url)
        search = make(tmp_path, trials=24)
        search.options["llm"]["patience"] = {**PATIENCE, "read_seconds": 60.0, "deadline_seconds": 90}
        search.start().wait_for("answered", 2)
        waiting = in_flight = 0
        while not (waiting and in_flight):
            kinds = [line["kind"] for line in lines(search)]
            in_flight = kinds.count("request") - kinds.count("reply") - kinds.count("failure")
            known = TrialHistory.replay(read_events(search.folder / JOURNAL))
            waiting = sum(len(known.waiting(source)) for source in ASKING)
            assert search.process is not None
            assert search.process.poll() is None
            time.sleep(0.02)
        search.kill()
        before = search.history()
        search.start().finish()
        asked = len(server.questions())
    after = search.history()
    assert len(after.finished) == 24
    for source in ASKING:
        handed_out = [r.candidate.rationale for r in after.records if r.candidate.source == source]
        refused = [dict(rejection.config) for rejection in after.rejections if rejection.source == source]
        for proposal in before.waiting(source):
            # an arm that earns little may have had no turn any more when the trials were used up: then it still waits
            dealt_with = proposal.rationale in handed_out or dict(proposal.config) in refused
            assert dealt_with or proposal in after.waiting(source), "it was paid for and is lost"
    answered = [(event["source"], event["question"]) for event in search.events() if event["kind"] == "answered"]
    assert len(set(answered)) == len(answered)
    told = lines(search)
    requests = [(line["call"], line["attempt"]) for line in told if line["kind"] == "request"]
    assert len(set(requests)) == len(requests) == asked
    said = [proposal.config for answer in after.answers for proposal in answer.proposals]
    assert len({json.dumps(config, sort_keys=True) for config in said}) == len(said)
    holds_no_key(tmp_path)


def lines(search: Search) -> list[dict]:
    path = search.folder / "llm.jsonl"
    return read_all(path)
