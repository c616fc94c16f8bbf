from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.pipeline.events import Renewed
from synthcity.pipeline.journal import Journal, read_told
from synthcity.pipeline.loop import run_loop
from synthcity.pipeline.status import lines, place_of, read_status
from synthcity.serve.settlement.succession import Succession
from tests.pipeline.standin import CONFIG, START, StandIn
from tests.serve.challengers.test_tenure import scored, settle


def test_it_tells_what_was_found_who_answers_and_what_it_cost(tmp_path: Path) -> None:
    run_loop(tmp_path, CONFIG, StandIn(tmp_path))
    Succession(named="fhs", challenger="har", champion="fhs", reason="it won", since=START).write(tmp_path / "miner")
    day = (int(read_told(tmp_path)[-1].time) // DAY - 3) * DAY
    settle(tmp_path / "miner", scored("baseline:fhs", day, 900.0), scored("baseline:har", day, 850.0))
    found = read_status(tmp_path)
    assert (found.rounds, found.proven, found.published, found.deployed, found.usd) == (3, 3, 3, 3, 0.75)
    assert (found.is_running, found.miner_trouble) == (False, "")
    assert found.miner is not None
    assert (found.miner.champion, found.miner.challenger, found.miner.since) == ("fhs", "har", START)
    assert [(one.role, one.average) for one in found.miner.earned] == [("champion", 900.0), ("challenger", 850.0)]
    text = "\n".join(lines(found))
    assert text.startswith(f"REHEARSAL {tmp_path}: stopped: 3 rounds are done")
    assert "the miner answers with fhs since 2025-01-01 00:00: it won" in text
    assert "in its shadow: har" in text
    assert "crypto-24h: too early, 0 of 8 blocks of 2 days before the first look" in text
    assert "settled scores, lower is better, of prompts that both answered" in text
    assert "challenger in crypto-24h: 850.0 bp over 1 answers" in text
    assert json.loads(json.dumps(found.to_dict()))["last"][0]["state"] == "proven"


def test_a_miner_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    run_loop(tmp_path, CONFIG, StandIn(tmp_path))
    (tmp_path / "miner" / "champion.json").write_text("{")
    found = read_status(tmp_path)
    assert found.miner is None
    assert "the miner cannot be read: " in "\n".join(lines(found))


def test_it_tells_a_running_one_from_a_killed_one(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.tell(StandIn(tmp_path).opened())
        assert (read_status(tmp_path).is_running, read_status(tmp_path).doing) == (True, "between two rounds")
    assert read_status(tmp_path).doing == "no process; it was killed, so resume it"


def test_no_pipeline_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no pipeline in .*: it has no pipeline\.jsonl"):
        read_status(tmp_path)


def test_refits_are_counted_and_lead_to_their_miner(tmp_path: Path) -> None:
    Succession(named="fhs", challenger=None, champion="fhs", reason="by hand").write(tmp_path / "miner")
    with Journal(tmp_path / "loop") as journal:
        journal.tell(StandIn(tmp_path).opened())
        told = Renewed(competition="crypto-24h", parent="old", state=str(tmp_path / "miner"), reason="it is time")
        journal.tell(told)
        assert (read_status(tmp_path / "loop").refits, read_status(tmp_path / "loop").miner) == (0, None)
        journal.tell(replace(told, folder="new", bundle="b", seconds=7.0))
    found = read_status(tmp_path / "loop")
    assert (found.refits, found.deployed, found.seconds) == (1, 0, 7.0)
    assert found.miner is not None
    assert place_of(tmp_path / "loop") == tmp_path / "miner"
