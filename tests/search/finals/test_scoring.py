"""What one worker does with its prompts; how they are spread is shown by searches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcity.errors import DataError, TrialFailed
from synthcity.forecast.baselines import baseline
from synthcity.forecast.evaluation.backtest import backtest_prompts
from synthcity.forecast.forecaster import Paths
from synthcity.forecast.weights import pair_terms
from synthcity.market.bars import History, Market
from synthcity.search.finals.scoring import _ask_chunk, _diagnose_chunk, _score_chunk, _terms_chunk
from synthcity.sn50.competitions import get_competition, get_rules
from synthcity.sn50.prompt import Prompt
from tests.market.factories import START, make_bars

DAY = 86400
MARKET = Market({("BTC", 300): make_bars(12 * 288)})
RULES = get_rules()
COMPETITION = get_competition("crypto-24h", RULES)
PROMPTS = backtest_prompts(COMPETITION, ["BTC"], START + 8 * DAY, START + 12 * DAY, DAY // 2, 20)


class Tired:
    """Cannot answer the first prompt."""

    name = "tired"

    def simulate(self, history: History | pd.Series, prompt: Prompt, *, seed: int | None = None) -> Paths:
        if prompt.start_time == PROMPTS[0].start_time:
            raise DataError("not yet")
        return baseline("trailing").simulate(history, prompt, seed=seed)


def test_a_prompt_that_one_cannot_answer_is_lost_for_all_wherever_it_is_scored() -> None:
    both = [baseline("trailing"), Tired()]
    [(rows, lost)] = _score_chunk(both, MARKET, PROMPTS, COMPETITION, RULES, 0)
    assert dict(lost) == {"tired: not yet": 1}
    assert len(rows) == 2 * (len(PROMPTS) - 1)
    [((again, lost_again), diagnostics)] = _diagnose_chunk(both, MARKET, PROMPTS, COMPETITION, RULES, 0, rival="tired")
    assert (again, lost_again) == (rows, lost)
    told = diagnostics.result()
    assert told["num_prompts"] == len(PROMPTS) - 1
    assert told["rival"] == "tired"
    assert all(fan["rival"] == fan["quantiles"] for fan in told["fans"])  # the same law, the same seed
    pairs = _terms_chunk(pair_terms, both, MARKET, PROMPTS, COMPETITION, RULES, 0)
    assert len(pairs) == len(PROMPTS) - 1
    assert np.isfinite(pairs[0][1].to_realised).all()


class Broken(Tired):
    """Code that a language model wrote and that fails at the first prompt."""

    def simulate(self, history: History | pd.Series, prompt: Prompt, *, seed: int | None = None) -> Paths:
        try:
            return super().simulate(history, prompt, seed=seed)
        except DataError as error:
            raise TrialFailed(f"the forecaster tired: {error}") from None


def test_whoever_is_only_asked_may_lack_a_price_and_may_not_fail() -> None:
    assert _ask_chunk([Tired()], MARKET, PROMPTS, COMPETITION, RULES, 0) == []
    with pytest.raises(TrialFailed, match="the forecaster tired: not yet"):
        _ask_chunk([Broken()], MARKET, PROMPTS, COMPETITION, RULES, 0)
    [(rows, lost)] = _score_chunk([baseline("trailing"), Broken()], MARKET, PROMPTS, COMPETITION, RULES, 0)
    assert dict(lost) == {"tired: the forecaster tired: not yet": 1}, "what fails later loses its prompt and no search"
    assert len(rows) == 2 * (len(PROMPTS) - 1)
