"""What is told of rounds with real searches; the rounds themselves are a command."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from synthcity.durations import DAY
from synthcity.lines import LineWriter
from synthcity.pipeline.config import load_pipeline
from synthcity.pipeline.events import Crowned, Opened
from synthcity.pipeline.journal import Journal
from synthcity.pipeline.worlds.rehearsed_miner import RehearsedMiner
from synthcity.serve.answering.answer_ledger import LEDGER, SCORES
from tests.pipeline import rounds
from tests.pipeline.rounds import lines, write_pipeline


def test_a_champion_is_held_against_fhs_on_what_it_sent_and_on_later_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "_EVERY", DAY)
    monkeypatch.setitem(rounds.LAW, "days", 40)
    opening = load_pipeline(write_pipeline(tmp_path, 3))
    [sweep] = opening.sweeps.values()
    miner = RehearsedMiner(tmp_path / "miner", sweep)
    (tmp_path / "miner" / LEDGER).mkdir()
    end = sweep.config.data.simulated.end
    with LineWriter(tmp_path / "miner" / LEDGER / SCORES, exclusive=True) as file:
        for day in range(1, 11):
            for sent in (True, False):  # whoever did not answer has no part in it
                record = miner._record("BTC", end - day * DAY, "worse", 1e6 if sent else 0.0, sent=sent)
                file.append(asdict(record))
    with Journal(tmp_path) as journal:
        journal.tell(Opened(competitions=("crypto-1h",), world="REHEARSAL"))
        journal.tell(Crowned(competition="crypto-1h", folder="reference", bundle="worse", reason="a test"))
    told = lines(opening, days=10)
    assert told[0] == "0 rounds, 0 proven [], 0 offers, 0 s of searching"
    assert told[1].startswith("champion 1 (reference): +")
    sent, same = (float(part.split("%")[0].split("+")[1]) for part in told[1].split(";"))
    assert sent > 1000 > same > 0
