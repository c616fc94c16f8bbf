from __future__ import annotations

from typing import Any

import pytest

from synthcity.agents.config import CapsConfig, LLMConfig, PatienceConfig
from synthcity.errors import ConfigError
from synthcity.schema import build


def test_a_sweep_file_can_hold_it() -> None:
    data = {"models": ["*GLM*"], "price": [0, 1.5], "caps": {"usd_per_run": None}, "patience": {"attempts": 1}}
    config = build(LLMConfig, data)
    assert config == LLMConfig(
        models=("*GLM*",), price=(0.0, 1.5), caps=CapsConfig(usd_per_run=None), patience=PatienceConfig(attempts=1)
    )
    with pytest.raises(ConfigError, match=r"did you mean 'caps\.usd_per_run'"):
        build(LLMConfig, {"caps": {"usd_pr_run": 1}})


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: LLMConfig(mode="replays"), "llm.mode: unknown value 'replays'; did you mean 'replay'?"),
        (lambda: LLMConfig(mode="record"), "llm.cassette must name a file when llm.mode is 'record'"),
        (lambda: LLMConfig(max_tokens=0), "llm.max_tokens must be at least 1, got 0"),
        (lambda: LLMConfig(temperature=-1), "llm.temperature must be at least 0, got -1.0"),
        (lambda: LLMConfig(price=(1.0,)), "llm.price takes two numbers, prompt and completion, got (1.0,)"),
        (lambda: LLMConfig(price=(1.0, -1.0)), "llm.price[1] must be at least 0, got -1.0"),
        (lambda: CapsConfig(usd_per_run=float("nan")), "llm.caps.usd_per_run must be a finite number, got nan"),
        (
            lambda: CapsConfig(tokens_per_run=1.5),  # type: ignore[arg-type]
            "llm.caps.tokens_per_run must be a whole number, got 1.5",
        ),
        (lambda: CapsConfig(usd_per_run=1e9), "llm.caps.usd_per_run must be at most 1e+06, got 1000000000.0"),
        (lambda: PatienceConfig(attempts=0), "llm.patience.attempts must be at least 1, got 0"),
        (
            lambda: PatienceConfig(read_seconds=None),  # type: ignore[arg-type]
            "llm.patience.read_seconds must be a number, got None",
        ),
    ],
)
def test_wrong_values_are_named(make: Any, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == text


def test_times_take_their_units_and_the_cassette_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    data = {"mode": "replay", "cassette": "~/llm.jsonl", "patience": {"deadline_seconds": "20m", "read_seconds": 90}}
    config = build(LLMConfig, data)
    assert (config.cassette, config.patience.deadline_seconds) == ("/home/me/llm.jsonl", 1200.0)
    assert config.patience.read_seconds == 90
