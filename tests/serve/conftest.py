from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from synthcity.forecast.baselines import baseline
from synthcity.market.bars import History, Market
from synthcity.serve.admission.admission import Admission
from synthcity.serve.admission.metagraph import Metagraph
from synthcity.serve.admission.nonces import Nonces
from synthcity.serve.answering.answer_ledger import AnswerLedger
from synthcity.serve.answering.answer_recorder import AnswerRecorder
from synthcity.serve.answering.engine import Engine
from synthcity.serve.answering.service import Service
from synthcity.serve.answering.tally import Tally
from synthcity.serve.http.app import build_app
from synthcity.serve.http.axon import Axon
from synthcity.sn50.competitions import get_rules, rule_dates
from tests.serve.dialogue import MINER, NOW, market, write_snapshot

ASSETS = tuple(sorted({a for date in rule_dates() for c in get_rules(date).competitions.values() for a in c.assets}))


class MarketPrices:
    """Prices of a market in memory."""

    def __init__(self, market: Market) -> None:
        self.market = market

    def history(self, asset: str, now: float) -> History:
        return self.market.as_of(int(now))

    @property
    def problem(self) -> str | None:
        return None

    def age(self, asset: str, now: float) -> float:
        return now - int(self.market[asset, 60].until(int(now)).observed[-1])


@pytest.fixture(scope="session")
def prices() -> MarketPrices:
    return MarketPrices(market(ASSETS))


@pytest.fixture
def service(prices: MarketPrices, tmp_path: Path) -> Iterator[Service]:
    engine = Engine(baseline("ewma"), baseline("trailing"), prices)
    metrics = Tally()
    recorder = AnswerRecorder(AnswerLedger(tmp_path / "ledger"), metrics)
    yield Service(engine, metrics, recorder, bundle="champion", clock=lambda: NOW)
    engine.close()
    recorder.close()


@pytest.fixture
def admission(tmp_path: Path) -> Iterator[Admission]:
    nonces = Nonces(tmp_path / "nonces.sqlite")
    yield Admission(MINER.ss58_address, Metagraph(write_snapshot(tmp_path)), nonces)
    nonces.close()


@pytest.fixture
def client(service: Service, admission: Admission) -> Iterator[TestClient]:
    app = build_app(service, axon=Axon(service, admission), people=service, about={"model": "ewma"})
    with TestClient(app) as client:
        yield client
