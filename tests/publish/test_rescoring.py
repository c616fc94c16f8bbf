from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from synthcity.forecast.baselines import baseline
from synthcity.forecast.named import Named
from synthcity.publish.evidence import Evidence
from synthcity.publish.gate import Examined
from synthcity.publish.rescoring import _Valid, rescore
from synthcity.sn50.competitions import get_rules
from synthcity.sn50.prompt import Prompt
from tests.publish.proven import BEGIN, NAME, made_prices


@pytest.fixture
def found(examined: Examined) -> Evidence:
    assert examined.proof is not None
    return examined.proof.evidence


def test_the_process_says_what_was_recorded(found: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    again = rescore(found.bundle, found.folder / "test_prompts.parquet")
    assert (again.reason, again.challenger, again.competition) == ("", NAME, "crypto-1h")
    assert len(again.recorded) == 3
    assert os.environ["HF_TOKEN"] == "hf_secret"


def test_what_cannot_be_scored_is_one_sentence(found: Evidence, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no table")
    reason = rescore(found.bundle, tmp_path / "x").reason
    assert "is no file of test prompts" in reason
    assert "Traceback" not in reason


def test_an_answer_that_the_network_refuses_is_refused() -> None:
    class Huge(Named):
        def simulate(self, *arguments: object, **named: object) -> np.ndarray:
            return 1e6 * super().simulate(*arguments, **named)  # type: ignore[arg-type]

    prompt = Prompt(asset="BTC", start_time=BEGIN, time_increment=60, time_length=3600, num_simulations=5)
    history = made_prices().as_of(BEGIN)
    plain = baseline("reference")
    assert _Valid(plain, "x", get_rules("2026-09")).simulate(history, prompt, seed=1).shape == (5, 61)
    with pytest.raises(ValueError, match="the network would refuse the answer for BTC"):
        _Valid(Huge(plain, "z"), "x", get_rules("2026-05")).simulate(history, prompt, seed=1)
