from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.pipeline.journal import Journal
from synthcity.pipeline.loop import run_loop
from synthcity.pipeline.status import lines, read_status
from synthcity.serve.settlement.succession import Succession
from tests.pipeline.standin import CONFIG, StandIn


def test_it_tells_what_was_found_who_answers_and_what_it_cost(tmp_path: Path) -> None:
    run_loop(tmp_path, CONFIG, StandIn(tmp_path))
    Succession(named="fhs", challenger="new", champion="fhs", reason="").write(tmp_path / "miner")
    found = read_status(tmp_path)
    assert (found.rounds, found.proven, found.published, found.deployed, found.usd) == (3, 3, 3, 3, 0.75)
    assert (found.answers, found.shadow, found.is_running) == ("fhs", "new", False)
    text = "\n".join(lines(found))
    assert text.startswith(f"REHEARSAL {tmp_path}: stopped: 3 rounds are done")
    assert "the miner answers with fhs" in text
    assert json.loads(json.dumps(found.to_dict()))["last"][0]["state"] == "proven"


def test_it_tells_a_running_one_from_a_killed_one(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.tell(StandIn(tmp_path).opened())
        assert (read_status(tmp_path).is_running, read_status(tmp_path).doing) == (True, "between two rounds")
    assert read_status(tmp_path).doing == "no process; it was killed, so resume it"


def test_no_pipeline_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no pipeline in .*: it has no pipeline\.jsonl"):
        read_status(tmp_path)
