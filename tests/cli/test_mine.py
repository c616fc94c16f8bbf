from __future__ import annotations

import time

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.errors import ConfigError
from synthcity.serve.ledger import ANSWERS, AnswerLedger
from tests.market.factories import make_bars
from tests.serve.builders import hour, make_store, record


def run(*arguments: object) -> tuple[str, str]:
    found = CliRunner().invoke(cli, ["mine", "score", *map(str, arguments)], standalone_mode=False)
    if found.exception:
        raise found.exception
    return found.stdout, found.stderr


@pytest.fixture
def folders(tmp_path):
    """A ledger of three hours that ended a while ago, and the prices of the last day."""
    now = int(time.time()) // 60 * 60
    make_store(tmp_path / "store", make_bars(1440, start=now - 1440 * 60, resolution=60))
    with AnswerLedger(tmp_path / "ledger") as ledger:
        for hours_ago in (2, 5, 8):
            record(ledger, hour(now - 3600 * hours_ago))
        record(ledger, hour(now))
    return tmp_path / "ledger", tmp_path / "store"


def test_it_settles_and_shows_the_averages(folders):
    ledger, store = folders
    out, err = run(ledger, "--store", store)
    lines = out.splitlines()
    assert lines[0] == "3 settled, 1 pending, 0 given up"
    assert lines[1].split() == ["competition", "average", "scored", "answers", "invalid", "by", "asset"]
    assert lines[2].split()[0::2][:2] == ["crypto-1h", "3"]
    assert err == ""
    again, _ = run(ledger, "--store", store)
    assert again.splitlines() == ["0 settled, 1 pending, 0 given up", *lines[1:]]


def test_damage_is_told(folders):
    ledger, store = folders
    with (ledger / ANSWERS).open("ab") as file:
        file.write(b'{"id"')
    out, err = run(ledger, "--store", store)
    assert err.startswith("warning: the last line of ")
    assert out.startswith("3 settled")


def test_nothing_to_show_is_said(folders):
    ledger, _ = folders
    out, _ = run(ledger, "--store", ledger / "empty")
    assert out.splitlines() == ["0 settled, 4 pending, 0 given up", "no settled answer in any competition's window yet"]


def test_nonsense_is_refused(folders):
    ledger, store = folders
    with pytest.raises(ConfigError, match=r"holds no answers\.jsonl; name the folder"):
        run(store, "--store", store)
    with pytest.raises(ConfigError, match="unknown rules '2026-9'; did you mean '2026-09'"):
        run(ledger, "--store", store, "--rules", "2026-9")
