"""From a venue to a score: live prices, an answer in time, and its settlement from the very store the feed filled."""

from __future__ import annotations

import numpy as np
import pytest

from synthcity.forecast.baselines import baseline
from synthcity.market.store import Store
from synthcity.serve.answering import clock
from synthcity.serve.answering.answer_ledger import AnswerLedger
from synthcity.serve.answering.live_prices import LivePrices, LivePricesConfig
from synthcity.serve.settlement.settle import read_scores, settle
from synthcity.serve.settlement.standing import standings
from synthcity.settings import Settings
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.scoring import score
from synthcity.sn50.submission import round_paths
from tests.serve.answering.test_live_prices import QUICKLY, Clock, fill
from tests.standins.prices import NOW, candles, price_server


def test_an_answer_is_settled_by_the_prices_that_came_after_it(tmp_path):
    t0 = NOW // 60 * 60 + 60
    prompt = Prompt(asset="HYPE", start_time=t0, time_increment=60, time_length=3600, num_simulations=100)
    with price_server() as server, AnswerLedger(tmp_path / "ledger") as ledger:
        now, store = Clock(server), Store(tmp_path / "store")
        config = LivePricesConfig(assets=("HYPE",), **QUICKLY)
        feed = LivePrices(store, config, Settings(venue_urls={"hyperliquid": server.url}), clock=now)
        fill(feed)
        answer = clock.simulate(baseline("fhs"), feed.history("HYPE", now()), prompt, seed=7)
        assert (answer.price_age, answer.wait_seconds) == (NOW % 60, 120)
        sent = round_paths(answer.paths)
        ledger.record(prompt, sent, asked_at=now(), seed=7, bundle="fhs", price_age=feed.age("HYPE", now()))
        for seconds in (600, 3000, 29, 120, 10):  # the witness opens a minute after the end, and must be final
            assert settle(ledger.folder, store, now()).num_settled == 0
            now.move(seconds)
            fill(feed)
        assert settle(ledger.folder, store, now()).num_settled == 1
    closes = candles("@107", 60, set())
    truth = np.array([closes[t]["c"] for t in prompt.grid.tolist()])
    (row,) = read_scores(ledger.folder).to_dict("records")
    assert row["num_missing"] == 0
    assert row["total"] == pytest.approx(score(sent.astype(np.float32), truth, "crypto-1h").total, rel=1e-12)
    (standing,) = standings(read_scores(ledger.folder), now())
    assert standing.average == row["total"]
