from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.pipeline.config import load_pipeline

ROOT = Path(__file__).parents[2]
FILE = ROOT / "configs" / "quickstart-pipeline.yaml"


def test_a_file_brings_its_sweeps_and_the_command_line_goes_before_it() -> None:
    opening = load_pipeline(FILE, ["retries=7"], rounds=9, deploy=None)
    assert (opening.config.retries, opening.config.rounds) == (7, 9)
    assert opening.config.deploy == "pipelines/quickstart/miner", "what is not given on the line stays"
    assert list(opening.sweeps) == ["crypto-24h"]
    assert opening.is_rehearsal
    assert opening.sweeps["crypto-24h"].config.search.max_steps == 600, "its settings are over the sweep"
    assert load_pipeline(FILE, forever=True).config.rounds is None
    assert not load_pipeline(ROOT / "configs" / "pipeline.yaml").is_rehearsal


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sweeps: []", "sweeps must name at least one sweep file"),
        ("sweeps: [none.yaml]", "cannot read the sweep file"),
        ("sweeps: [a.yaml, a.yaml]", "two of them are of crypto-24h"),
        ("sweeps: [a.yaml, b.yaml]", "some prices are real and some are simulated"),
        ("sweeps: [a.yaml]\nperiods: lately", "'lately' is no span"),
        ("sweeps: [a.yaml]\nretries: 0", "retries must be at least 1"),
        ("sweeps: [a.yaml]\nretries: 1000000000", "retries must be at most 100"),
        ("sweeps: [a.yaml]\ntemperature: .nan", "temperature must be"),
        ("sweeps: [a.yaml]\nevery: 90", "every must be"),
        ("sweeps: [a.yaml]\ncluster: 7", "cluster must be"),
        ("sweeps: [a.yaml]\nresearch: 2\nsettings: [search.finalists=9]", "finalists must be 8 at most with research"),
        ("sweeps: [a.yaml]\nsettings: [search.research.rounds=1]", "set search.research.rounds to 0"),
        ("sweeps: [a.yaml]\nsettings: [competition=crypto-25h]", "did you mean 'crypto-24h'"),
        ("sweeps: [a.yaml]\nsettings: ['rules=1999-01']", "1999-01"),
        ("sweeps: [a.yaml]\nround: 3", "did you mean 'rounds'"),
        ("sweeps: [a.yaml]\nsettings: [search.trails=3]", "did you mean 'search.trials'"),
        ("competition: crypto-24h\ndata: {}", "is a sweep file, not a pipeline file"),
    ],
)
def test_what_is_wrong_is_told_before_all_else(text: str, said: str, tmp_path: Path) -> None:
    sweep = "competition: {}\ndata: {{source: {}, path: prices, periods: last 12 months}}\n"
    (tmp_path / "a.yaml").write_text(sweep.format("crypto-24h", "store"))
    (tmp_path / "b.yaml").write_text(sweep.format("crypto-1h", "simulated"))
    path = tmp_path / "pipeline.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as told:
        load_pipeline(path)
    assert said in str(told.value)


def test_values_of_the_line_are_held_to_the_same_ranges() -> None:
    with pytest.raises(ConfigError, match="temperature"):
        load_pipeline(FILE, temperature=float("nan"))
