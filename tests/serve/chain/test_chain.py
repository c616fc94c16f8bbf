"""Keeping the snapshot fresh, with a chain that is away at times."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from synthcity.errors import ChainError
from synthcity.serve.admission.metagraph import Metagraph, Snapshot
from synthcity.serve.chain.__main__ import main
from synthcity.serve.chain.chain import Opened, follow
from tests.serve.dialogue import MINER, STRANGER, snapshot


class FakeChain:
    """Fails in the rounds that it is told to."""

    def __init__(self, *, away: set[int] = frozenset(), refuses: set[int] = frozenset()) -> None:
        self.away, self.refuses = away, refuses
        self.round = -1
        self.published: list[tuple[str, int]] = []

    def snapshot(self) -> Snapshot:
        self.round += 1
        if self.round in self.away:
            raise ChainError("the chain is away")
        return replace(snapshot(), block=self.round)

    def publish(self, ip: str, port: int) -> None:
        if self.round in self.refuses:
            raise ChainError("too soon")
        self.published.append((ip, port))


def test_an_unreachable_chain_leaves_the_last_snapshot_in_force(tmp_path: Path, caplog):
    waited: list[float] = []
    path = tmp_path / "metagraph.json"
    follow(FakeChain(away={1, 2}), path, every_seconds=180, rounds=3, sleep=waited.append)
    assert Metagraph(path).snapshot.block == 0
    assert waited == [180, 180]
    assert "the chain is away; the last snapshot stays in force" in caplog.text


def test_a_chain_that_never_answered_leaves_nothing(tmp_path: Path):
    follow(FakeChain(away={0}), tmp_path / "metagraph.json", every_seconds=1, rounds=1)
    assert not (tmp_path / "metagraph.json").exists()


def test_publishes_until_it_has_succeeded_once(tmp_path: Path):
    chain = FakeChain(away={0}, refuses={1, 2})
    options = {"every_seconds": 1, "rounds": 6, "sleep": lambda _: None}
    follow(chain, tmp_path / "m.json", publish=("203.0.113.7", 8091), **options)
    assert chain.published == [("203.0.113.7", 8091)]


@pytest.mark.parametrize(("key", "told"), [(MINER, False), (STRANGER, True)])
def test_tells_if_we_are_not_registered(tmp_path: Path, caplog, key, told: bool):
    with caplog.at_level(logging.ERROR):
        follow(FakeChain(), tmp_path / "m.json", every_seconds=1, rounds=1, hotkey=key.ss58_address)
    assert ("is not registered on subnet 50" in caplog.text) is told


def test_nonsense_is_refused_before_the_library_is_loaded():
    result = CliRunner().invoke(main, ["--metagraph", "m.json", "--publish", "here"])
    assert result.exit_code == 2
    assert "'here' is no address" in result.output


def test_an_adapter_is_a_module_with_one_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[dict[str, object]] = []

    def open_chain(**options: object) -> Opened:
        asked.append(options)
        return Opened(chain=FakeChain(), hotkey=None)

    monkeypatch.setitem(sys.modules, "another_chain", SimpleNamespace(open_chain=open_chain))
    monkeypatch.setattr("synthcity.serve.chain.__main__.follow", partial(follow, rounds=1))
    path = tmp_path / "m.json"
    result = CliRunner().invoke(main, ["--metagraph", str(path), "--adapter", "another_chain", "--netuid", "247"])
    assert result.exit_code == 0, result.output
    assert Metagraph(path).snapshot.block == 0
    assert asked == [{"network": "finney", "netuid": 247, "wallet": "default", "hotkey": "default", "publishes": False}]


def test_an_adapter_that_is_none_or_cannot_begin_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch):
    result = CliRunner().invoke(main, ["--metagraph", "m.json", "--adapter", "nowhere.at_all"])
    assert (result.exit_code, result.output.startswith("Error: 'nowhere.at_all' is no chain adapter")) == (1, True)

    def open_chain(**_: object) -> Opened:
        raise ChainError("the wallet is locked")

    monkeypatch.setitem(sys.modules, "another_chain", SimpleNamespace(open_chain=open_chain))
    result = CliRunner().invoke(main, ["--metagraph", "m.json", "--adapter", "another_chain"])
    assert (result.exit_code, result.output) == (1, "Error: the wallet is locked\n")
