"""``mine status``: what a miner wrote, whether it runs, and an exit code for scripts."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.errors import ConfigError, RunError
from synthcity.serve.admission.presence import alone
from synthcity.serve.operations.outlets import outlets
from synthcity.serve.operations.report import EXIT_CODES, STATUS, Report, Verdict, read_report
from synthcity.serve.operations.view import View
from synthcity.settings import Secret
from tests.serve.dialogue import NOW
from tests.serve.operations.look import around, well
from tests.serve.operations.test_recording import recording_of


def _status(state: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["mine", "status", str(state), *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Let a miner run and tell what it looks like; one that tells nothing has just started."""
    monkeypatch.setattr("synthcity.serve.operations.report.time.time", lambda: NOW + 2)

    def tell(*views: View) -> Path:
        with outlets(tmp_path, 0, Secret()) as out:
            for view in views:
                out.show(view)
        return tmp_path

    with alone(tmp_path):
        yield tell


def test_a_miner_that_is_well_is_0(told):
    state = told(View.of(well(), "ewma answers in place of fhs"))
    code, output = _status(state)
    assert (code, output.splitlines()) == (
        0,
        ["fine  winner  abc  20 answered, 0 refused", "  ewma answers in place of fhs"],
    )
    code, output = _status(state, "--json")
    found = json.loads(output)
    assert (code, found["verdict"], found["answered"], found["alarms"]) == (0, "fine", {"BTC": 20}, [])
    assert found["metrics"].startswith("http://127.0.0.1:")
    assert stat.S_IMODE((state / STATUS).stat().st_mode) == 0o600


def test_it_tells_since_when_prices_are_recorded_and_what_is_not(told):
    held = recording_of({"BTC": (0, 0), "XAU": (3600, 36)})
    state = told(View.of(well(recorded=held)))
    assert _status(state)[1].splitlines()[1:] == [
        "  prices: 2 assets recorded by the minute since 2025-11-20 12:00 (XAU) or earlier, least whole XAU with "
        "99.00 %; not recorded: NVDAX, GOOGLX, TSLAX, AAPLX, WTIOIL, SPCX, SP500, ETH, SOL, XRP, HYPE"
    ]
    assert read_report(state).recorded == held
    assert json.loads(_status(state, "--json")[1])["recorded"][1]["num_missing"] == 36


@pytest.mark.parametrize(("facts", "code"), [(around(clock_offset=3.0), 1), (around(clock_offset=9.0), 2)])
def test_an_alarm_is_told_by_its_severity(told, facts, code):
    found, output = _status(told(View.of(facts)), "--json")
    assert (found, json.loads(output)["alarms"][0]["name"]) == (code, "clock")


def test_a_price_that_is_not_there_is_null_in_json(told):
    code, output = _status(told(View.of(well(ages={"BTC": float("inf")}))), "--json")
    assert (code, json.loads(output)["price_ages"]) == (2, {"BTC": None})


def test_a_change_for_the_worse_is_told_at_once_and_the_rest_every_few_seconds(told):
    state = told(View.of(well()), View.of(well(now=NOW + 1, title="later")), View.of(around(clock_offset=9.0)))
    assert read_report(state).verdict is Verdict.CRITICAL
    assert read_report(told(View.of(well()), View.of(well(now=NOW + 1, title="later")))).title == "winner  abc"


def test_one_that_has_just_started_and_one_that_hangs_are_told_apart(told, monkeypatch):
    state = told()
    assert _status(state)[0] == 1
    assert "starts and has not told anything yet" in _status(state)[1]
    told(View.of(well()))
    monkeypatch.setattr("synthcity.serve.operations.report.time.time", lambda: NOW + 600)
    code, output = _status(state)
    assert (code, "the miner hangs: it told nothing for 10m" in output) == (2, True)


def test_where_no_miner_runs_is_3(tmp_path: Path, monkeypatch):
    with alone(tmp_path):
        pass
    assert _status(tmp_path) == (
        3,
        "stopped    0 answered, 0 refused\n  critical: no miner runs here, and none has told anything\n",
    )
    (tmp_path / STATUS).write_text(Report.of(View.of(around(clock_offset=9.0))).to_json())
    monkeypatch.setattr("synthcity.serve.operations.report.time.time", lambda: NOW + 7200)
    code, output = _status(tmp_path, "--json")
    assert (code, json.loads(output)["verdict"]) == (3, "stopped")
    assert [alarm["text"] for alarm in json.loads(output)["alarms"]] == [
        "no miner runs here; the last one told of itself 2h ago"
    ]


def test_a_folder_that_never_was_a_miners_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="is no --state folder of a miner"):
        read_report(tmp_path / "typo")


@pytest.mark.parametrize("text", ["{", "[]", "{}", "[" * 100_000, '{"alarms":[],"notes":[],"verdict":"odd"}'])
def test_a_damaged_file_is_one_sentence(told, text: str):
    state = told()
    (state / STATUS).write_text(text)
    with pytest.raises(RunError, match="does not say how the miner stands"):
        read_report(state)


def test_every_verdict_has_its_number():
    assert [EXIT_CODES[verdict] for verdict in Verdict] == [0, 1, 2, 3]
