from __future__ import annotations

import os
import re
import signal
import threading
import time

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.errors import ConfigError, DataError
from synthcity.market.store import Store
from synthcity.serve.answering.answer_ledger import ANSWERS, AnswerLedger
from synthcity.serve.settlement.settle import read_scores
from tests.market.factories import make_bars
from tests.market.sources.test_synthapi import prompt as prompt_row
from tests.market.sources.test_synthapi import row
from tests.serve.builders import hour, make_paths, make_store, record
from tests.standins.prices import NOW, price_server
from tests.standins.synthdata import synth_server


def run(*arguments: object, command: str = "score") -> tuple[str, str]:
    found = CliRunner().invoke(cli, ["mine", command, *map(str, arguments)], standalone_mode=False)
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


def test_drift_is_told(folders):
    ledger, store = folders
    now = int(time.time()) // 60 * 60
    with AnswerLedger(ledger) as opened:
        for k in range(30):
            prompt = hour(now - 7200 - 1800 * k)
            record(opened, prompt, make_paths(prompt, sigma=1e-5))
    _, err = run(ledger, "--store", store)
    assert "warning: BTC crypto-1h, changes over 60 s: " in err
    assert "too narrow" in err


def test_the_rank_among_public_scores(folders, monkeypatch):
    ledger, store = folders
    with synth_server() as server:
        monkeypatch.setenv("SYNTHCITY_SYNTH_API_URL", server.url)
        assert run(ledger, command="rank")[0].startswith("no settled answer in any competition's window yet")
        run(ledger, "--store", store)
        starts = read_scores(ledger)["start_time"].tolist()
        server.table(
            scores=[
                row(start + 3700, miner, crps)
                for start in starts
                for miner, crps in ((1, 1.0), (2, 1e4), (3, -1.0), (4, 0.5))
            ],
            prompts=[prompt_row(start) for start in starts],
        )
        out, _ = run(ledger, "--uid", 4, command="rank")
    names, figures = (line.split() for line in out.splitlines())
    assert names == ["competition", "rank", "average", "best", "median", "share", "prompts", "unmatched"]
    assert figures[:4] == ["crypto-1h", "2", "of", "4"]
    assert figures[-2:] == ["3", "0"]


def test_a_race_is_judged(folders):
    ledger, store = folders
    with AnswerLedger(ledger) as opened:
        prompt = hour(int(time.time()) // 60 * 60 - 7200)
        record(opened, prompt, bundle="challenger", sent=False)
    run(ledger, "--store", store)
    arguments = (ledger, "champion", "challenger", "--competition")
    out, _ = run(*arguments, "crypto-1h", command="judge")
    assert out.startswith("too early: 0 of 8 blocks of 1 days before the first look (0 prompts)")
    with pytest.raises(ConfigError, match="unknown competition 'crypto-2h'; did you mean"):
        run(*arguments, "crypto-2h", command="judge")
    with pytest.raises(DataError, match="no settled crypto-24h answer of bundle 'champion'; it has none"):
        run(*arguments, "crypto-24h", command="judge")


def test_the_feed_fills_a_store_and_tells_what_is_wrong(tmp_path, monkeypatch):
    """On a clock that goes on from the stand-in's own time; HYPE's venue is down."""
    began = time.time()
    real = time.time
    with price_server() as server:
        monkeypatch.setattr(time, "time", lambda: NOW + real() - began)
        monkeypatch.setenv("SYNTHCITY_BINANCE_URL", server.url)
        monkeypatch.setenv("SYNTHCITY_HYPERLIQUID_URL", "http://127.0.0.1:9")

        def stop_when_filled() -> None:
            for _ in range(1000):
                if len(list((tmp_path / "BTC" / "binance" / "60s").glob("*.parquet"))) > 1:
                    break
                threading.Event().wait(0.05)
            threading.Event().wait(1.0)
            os.kill(os.getpid(), signal.SIGTERM)

        watcher = threading.Thread(target=stop_when_filled)
        watcher.start()
        out, _ = run("--store", tmp_path, "--assets", "BTC,HYPE", "--every", "0.2s", command="feed")
        watcher.join()
    assert "2 assets, the oldest price is HYPE's: no price yet" in out
    assert re.search(r"^  1 asset recorded by the minute since .* \(BTC\) or earlier", out, re.MULTILINE)
    assert "  hyperliquid cannot be reached at http://127.0.0.1:9" in out
    assert len(Store(tmp_path).load("BTC", 60)) > 60
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_feed_of_nonsense_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="unknown asset 'DOGE'"):
        run("--store", tmp_path, "--assets", "DOGE", command="feed")
    with pytest.raises(ConfigError, match="at least one"):
        run("--store", tmp_path, "--assets", ",", command="feed")
