"""What validators get and what the operator sees when something is wrong: the table in docs/mining.md."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from synthcity.forecast.baselines import baseline
from synthcity.market.store import Store
from synthcity.serve.admission.admission import Admission, AdmissionConfig
from synthcity.serve.admission.metagraph import Metagraph
from synthcity.serve.admission.nonces import Nonces
from synthcity.serve.answering.answer_ledger import AnswerLedger
from synthcity.serve.answering.answer_recorder import AnswerRecorder
from synthcity.serve.answering.engine import Engine
from synthcity.serve.answering.prices import StorePrices
from synthcity.serve.answering.service import Service
from synthcity.serve.answering.tally import Status, Tally
from synthcity.serve.board import lines
from synthcity.serve.build import ServeConfig
from synthcity.serve.chain.watched import Watched
from synthcity.serve.http.app import build_app
from synthcity.serve.http.axon import Axon
from synthcity.serve.miner import Miner
from synthcity.serve.preflight import chain_problem
from synthcity.serve.settlement.settle import read_answers
from synthcity.serve.settlement.settler import Settler
from tests.serve.answering.test_engine import Model
from tests.serve.dialogue import MINER, NOW, STRANGER, body, headers, market, question, snapshot, write_snapshot
from tests.waiting import until


class Place:
    """A miner in this process: what it answers, and what its operator sees."""

    def __init__(self, folder: Path, stack: ExitStack, fault: str = "", metagraph: Path | None = None) -> None:
        for (asset, resolution), bars in market(("BTC",), days=15).items():
            Store(folder / "store").append(asset, "binance", resolution, bars)
        self.folder, self.stack = folder, stack
        self.config = ServeConfig(model="fhs", store=str(folder / "store"), state=str(folder))
        prices, metrics = StorePrices(Store(folder / "store")), Tally()
        engine = Engine(Model(fault), baseline("trailing"), prices)
        self.recorder = AnswerRecorder(AnswerLedger(folder / "ledger"), metrics)
        self.service = Service(engine, metrics, self.recorder, bundle="champion", clock=lambda: NOW)
        nonces = Nonces(folder / "nonces.sqlite")
        registry = Metagraph(metagraph or write_snapshot(folder))
        axon = Axon(self.service, Admission(MINER.ss58_address, registry, nonces))
        self.client = TestClient(build_app(self.service, axon=axon))
        stack.callback(nonces.close)
        stack.callback(self.recorder.close)
        stack.callback(engine.close)
        self.settler = Settler(folder / "ledger", Store(folder / "store"), lambda: None, clock=lambda: NOW)
        self.chain: Callable[[], str | None] = lambda: None
        self.miner = Miner(
            self.config,
            self,
            prices,
            self.settler,
            assets=["BTC", "ETH"],
            watched=lambda: {"chain": self.chain()},
            clock=lambda: NOW,
        )

    def status(self) -> Status:
        return self.service.status()

    def roll_out(self, config: ServeConfig) -> None:
        raise AssertionError("nothing is to be promoted here")

    def ask(self, asset: str = "BTC") -> int:
        asked = question(asset, 3600, 60, num_simulations=20)
        return self.client.post("/Simulation", content=body(asked), headers=headers()).status_code

    def seen(self) -> str:
        return "\n".join(lines(self.miner.look()))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_a_broken_model_is_answered_for(tmp_path: Path, stack: ExitStack):
    place = Place(tmp_path, stack, fault="bug")
    assert place.ask() == 200
    assert "1 answered, 0 refused, 1 by the fallback" in place.seen()
    place.recorder.close()
    assert [answer.fallback for answer in read_answers(tmp_path / "ledger")[0]] == ["failed"]


def test_an_asset_without_prices_is_refused_and_the_others_go_on(tmp_path: Path, stack: ExitStack):
    place = Place(tmp_path, stack)
    assert (place.ask("ETH"), place.service.status().refused) == (503, {"ETH": 1})
    seen = place.seen()
    assert "0 answered, 1 refused" in seen
    assert "oldest price ETH none" in seen


def test_without_a_chain_everybody_is_refused_and_the_reason_is_shown(tmp_path: Path, stack: ExitStack):
    place = Place(tmp_path, stack, metagraph=tmp_path / "none.json")
    code = "print('cannot begin with network finney'); raise SystemExit(1)"
    chain = stack.enter_context(Watched("the chain's process", [sys.executable, "-c", code], pause_seconds=600))
    place.chain = lambda: chain.problem
    until(lambda: chain.problem and chain.last_line)
    assert place.ask() == 503
    seen = place.seen()
    assert "the chain's process ended with 1 (cannot begin with network finney); it is started again" in seen
    write_snapshot(tmp_path).rename(tmp_path / "none.json")


def test_a_chain_that_goes_away_costs_no_answer_and_is_shown(tmp_path: Path, stack: ExitStack):
    place = Place(tmp_path, stack)
    registry, ages = Metagraph(tmp_path / "metagraph.json"), iter((60, 7200))
    place.chain = lambda: chain_problem(registry.snapshot, MINER.ss58_address, NOW + next(ages), AdmissionConfig())
    assert "the chain:" not in place.seen()
    assert place.ask() == 200
    assert "the chain: uid 0 on subnet 50, block 1; 1 of 4 hotkeys may ask; the snapshot is 2h old" in place.seen()


def test_a_hotkey_that_lost_its_place_is_shown(tmp_path: Path, stack: ExitStack):
    place = Place(tmp_path, stack)
    place.chain = lambda: chain_problem(snapshot(), STRANGER.ss58_address, NOW, AdmissionConfig())
    assert f"hotkey {STRANGER.ss58_address} is not registered on subnet 50" in place.seen()


def test_a_full_disk_costs_no_answer_and_is_shown(tmp_path: Path, stack: ExitStack, monkeypatch):
    place = Place(tmp_path, stack)

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert place.ask() == 200
    until(lambda: place.recorder.problem)
    seen = place.seen()
    assert "No space left on device; 1 answers are held in memory" in seen
    monkeypatch.undo()


WITHOUT_SPACE = """
import resource, signal, sys, time
from contextlib import ExitStack
from pathlib import Path
from tests.serve.test_troubles import Place
from tests.waiting import until
with ExitStack() as stack:
    place = Place(Path(sys.argv[1]), stack)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    print(place.ask())
    until(lambda: place.recorder.problem)
    print(place.seen())
"""


def test_a_disk_that_takes_not_one_byte_more_costs_no_answer_and_is_shown(tmp_path: Path):
    """The kernel refuses every write of that process: answers, nonces and who is champion."""
    command = [sys.executable, "-W", "ignore", "-c", WITHOUT_SPACE, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    status, _, seen = done.stdout.partition("\n")
    assert (status, "1 answered, 0 refused, 0 by the fallback" in seen) == ("200", True), seen
    assert "1 answers are held in memory" in seen
    assert "the champion stays" in seen


def test_no_file_of_succession_can_be_written_is_shown(tmp_path: Path, stack: ExitStack):
    place = Place(tmp_path, stack)
    (tmp_path / ".champion.json.tmp").mkdir()
    assert "champion.json (Is a directory); the champion stays" in place.seen()
    assert place.ask() == 200
