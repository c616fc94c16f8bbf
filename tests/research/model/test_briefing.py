from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from synthcity.agents.prompts import placeholders, render
from synthcity.authored.examples import FEATURES
from synthcity.authored.feature import FeatureSource
from synthcity.durations import HOUR
from synthcity.research.bench import Bench
from synthcity.research.config import ResearchConfig
from synthcity.research.labbook import Decided, LabBook, Origin
from synthcity.research.measuring.trial import Judge
from synthcity.research.model.briefing import values
from synthcity.research.model.desk import ROLE
from tests.research.conftest import ASSETS, FOLDS, WAVE, Wave, examiner_of

CONFIG = ResearchConfig(folds=FOLDS, claims=3, trials=4)


def test_a_model_is_told_of_market_test_contract_and_earlier_rounds(swinging: Judge, tmp_path: Path) -> None:
    with LabBook(tmp_path) as book:
        bench = Bench("model", examiner_of(swinging), FOLDS, book)
        first = values(bench, swinging.cases, swinging.known, CONFIG, 12)
        assert set(first) == placeholders(ROLE)
        assert (first["labbook"], first["best"]) == ("", "")
        bench.test(Wave(), Origin(source=WAVE), round=1, hypothesis="every seven hours")
        bench.test(Wave(name="other", hours=9.3), Origin(source="other"), round=1)
        book.add(Decided(arm="model", round=1, name="other", decision="drop", reason="nothing there"))
        text = render(ROLE, values(bench, swinging.cases, swinging.known, CONFIG, 12)).text
    assert "You may have 4 files tested" in text
    assert "at most 3 of what is promising" in text
    assert "12 turns, of at most 8 calls each" in text
    assert "Series notices" in text
    assert "every seven hours -> input wave: " in text
    assert "drop: nothing there" in text
    assert WAVE.strip() in text
    assert all(source.strip() in text for source in FEATURES.values())
    assert "and 0.05 % or more" in text
    assert len(text) < 24_000


def test_the_example_of_what_is_in_force_says_what_the_prompt_tells(swinging: Judge) -> None:
    """Run here as it stands: its only imports are NumPy's."""
    text = render(ROLE, dict.fromkeys(placeholders(ROLE), "-")).text
    (source,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    read = FeatureSource.of(source)
    assert (read.past, read.future) == (("in_force",), ("decided",))
    names: dict[str, Any] = {}
    exec(source, names)
    time, _ = swinging.known.series["funding"]
    now = int(time[40]) + 5 * HOUR
    series = SimpleNamespace(time=time[:41], value=np.where(np.arange(41) == 40, 2.0, 0.0))
    history = SimpleNamespace(now=now, assets=ASSETS, resolution=300, series={"funding": series})
    ends = now + 300 * np.arange(1, 97)
    decided = names["future"](history, ends)[:, :, 0]
    assert names["past"](history).tolist() == [[0.0], [0.0]]
    assert (decided == np.where((ends - 300 >= now + HOUR) & (ends - 300 <= now + 6 * HOUR), 1.0, 0.0)).all()


def test_the_confirming_fold_is_not_named(swinging: Judge, tmp_path: Path) -> None:
    with LabBook(tmp_path) as book:
        told = values(Bench("model", examiner_of(swinging), FOLDS, book), swinging.cases, swinging.known, CONFIG, 12)
    assert str(FOLDS.confirm) not in " ".join(told.values())
