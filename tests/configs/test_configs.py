"""Every file in configs/ loads, and every key that can be set stands documented in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from synthcity.pipeline.config import PipelineConfig, load_pipeline
from synthcity.research.config import ResearchConfig
from synthcity.research.config import load_config as load_research
from synthcity.schema import dotted_keys
from synthcity.search.config import SearchConfig, load_config
from synthcity.search.proposers import check_arms
from synthcity.serve.config import ServeFile, load_serving
from synthcity.sn50.competitions import get_rules

SERVE = Path(__file__).parents[2] / "configs" / "serve.yaml"
PIPELINES = sorted(SERVE.parent.glob("*pipeline.yaml"))
RESEARCH = SERVE.with_name("research.yaml")
CONFIGS = sorted(set(SERVE.parent.glob("*.yaml")) - {SERVE, RESEARCH, *PIPELINES})
# what a search on real prices, or without an arm that asks a language model, has no use for
SIMULATED, MODEL = "data.simulated", "llm"


def test_a_sweep_for_every_competition_is_there() -> None:
    assert {"quickstart.yaml", "sweep.yaml", "sweep-1h.yaml", "sweep-equ.yaml"} <= {path.name for path in CONFIGS}
    searched = {load_config(path).competition for path in CONFIGS}
    assert searched == set(get_rules().competitions)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_loads(path: Path) -> None:
    config = load_config(path)
    check_arms(config.search.arms)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_names_every_key_and_documents_it(path: Path) -> None:
    data = yaml.safe_load(path.read_text())
    for name in dotted_keys(SearchConfig):
        if name.startswith(SIMULATED) and data["data"]["source"] != "simulated":
            continue
        if name.startswith(MODEL) and not any(arm.startswith(MODEL) for arm in data["search"]["arms"]):
            continue
        section = data
        for part in name.split("."):
            assert part in section, f"{name} is missing in {path.name}"
            section = section[part]
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        is_key = ":" in line.split("#")[0]
        repeated = line.strip().startswith(("share:", "floor:", "ceiling:"))  # said once, at the first arm
        assert not is_key or "#" in line or line.rstrip().endswith(":") or repeated, f"{path.name}:{number}: {line}"


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.name)
def test_a_pipeline_file_loads_with_its_sweeps_and_explains_every_key(path: Path) -> None:
    assert load_pipeline(path).sweeps
    data = yaml.safe_load(path.read_text())
    assert list(data) == dotted_keys(PipelineConfig)
    for line in path.read_text().splitlines():
        assert "#" in line or not line, f"{path.name}: {line}"


def test_the_file_to_serve_from_says_the_defaults_and_explains_every_key() -> None:
    text = SERVE.read_text()
    data = yaml.safe_load(text)
    for name in dotted_keys(ServeFile):
        section = data
        for part in name.split("."):
            assert part in section, f"{name} is missing"
            section = section[part]
    for line in filter(None, text.splitlines()):
        assert "#" in line or line.endswith(":"), line
    loaded = load_serving(SERVE)
    short = load_serving(service={name: data["service"][name] for name in ("model", "store", "live_assets")})
    assert loaded == short


def test_the_file_to_research_by_loads_and_explains_every_key() -> None:
    assert load_research(RESEARCH).prices.source == "store"  # a research without a file is of a simulated world
    data = yaml.safe_load(RESEARCH.read_text())
    for name in dotted_keys(ResearchConfig):
        section = data
        for part in name.split(".") if not name.startswith((MODEL, "prices.world")) else ():
            assert part in section, f"{name} is missing"
            section = section[part]
    for line in filter(None, RESEARCH.read_text().splitlines()):
        assert "#" in line or line.endswith(":"), line
