from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.research.config import ResearchConfig, load_config
from synthcity.schema import build, plain


def test_the_shipped_file_and_the_defaults_are_read() -> None:
    shipped = load_config(Path("configs/research.yaml"))
    assert shipped.prices.source == "store"
    assert load_config(None) == ResearchConfig()
    assert build(ResearchConfig, plain(shipped)) == shipped


def test_the_folds_for_finding_are_cut_in_equal_parts() -> None:
    folds = ResearchConfig().folds
    parts = list(folds.finding.values())
    assert parts[0].start == folds.find.start
    assert parts[-1].end == folds.find.end <= folds.confirm.start
    assert len({part.end - part.start for part in parts}) == 1


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("folds.confirm=[2025-05-01, 2025-06-01]", "begins before folds.find"),
        ("prices.source=store", "prices.path must name"),
        ("baseline=harr", "har"),
        ("knowledge_ends=soon", "soon"),
        ("claims=0", "claims"),
        ("roundz=3", "rounds"),
        ("every=0s", "every"),
    ],
)
def test_what_is_wrong_is_named(setting: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        load_config(None, [setting])


def test_a_level_that_proves_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"level must be .*0\.25"):
        load_config(None, ["level=0.5", "claims=5"])
    assert load_config(None, ["level=0.25", "claims=1"]).confidence(1) == pytest.approx(0.5)


def test_a_file_of_another_kind_is_told_apart() -> None:
    with pytest.raises(ConfigError, match="sweep file"):
        load_config(Path("configs/quickstart.yaml"))
