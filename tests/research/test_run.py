"""A whole research without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synthcity.research.config import PricesConfig, ResearchConfig
from synthcity.research.measuring.trial import Judge
from synthcity.research.run import known_months, research
from tests.research.conftest import FOLDS, setting_of


def config_of(folder: Path, **more: Any) -> ResearchConfig:
    return ResearchConfig(folds=FOLDS, library=str(folder / "library"), trials=2, claims=2, **more)


def test_without_a_model_the_control_works_alone(still: Judge, tmp_path: Path) -> None:
    result = research(config_of(tmp_path, rounds=2), tmp_path / "run", setting=setting_of(still))
    (control,) = result.arms
    assert (control.arm, control.tests, control.usd) == ("control", 4, 0.0)
    assert control.kept == ()
    assert result.notes == ("one was left out",)
    assert result.known_months == ()


def test_months_after_a_models_knowledge_are_not_counted() -> None:
    store = PricesConfig(source="store", path="prices")
    assert known_months(ResearchConfig(folds=FOLDS)) == ()
    assert known_months(ResearchConfig(folds=FOLDS, prices=store)) == ("2025-01", "2025-02", "2025-03")
    assert known_months(ResearchConfig(folds=FOLDS, prices=store, knowledge_ends="2025-02-01")) == ("2025-01",)
