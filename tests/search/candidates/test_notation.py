from __future__ import annotations

import pytest

from synthcity.nets.config import NetConfig
from synthcity.search.candidates.candidate import Candidate
from synthcity.search.candidates.notation import changes, differences, short, sketch
from synthcity.search.candidates.space import canonical
from tests.search.builders import config


def test_a_config_shows_what_differs_from_its_defaults() -> None:
    assert short(config()) == "lstm>gbm"
    assert short(config(blocks=[])) == "none>gbm"
    chain = [{"name": "lstm", "num_layers": 2}, {"name": "tcn"}]
    varied = config(blocks=chain, head={"name": "gbm", "level": False}, d_model=48, training={"learning_rate": 0.004})
    assert short(varied) == "lstm(num_layers=2)+tcn>gbm(level=false) d_model=48 training(learning_rate=0.004)"


def test_the_differences_alone_are_the_same_network() -> None:
    varied = config(blocks=[{"name": "tcn", "levels": 2}], history=96)
    assert differences(varied) == {"blocks": [{"name": "tcn", "levels": 2}], "head": {"name": "gbm"}, "history": 96}
    assert canonical(differences(varied)) == varied


def test_changes_are_told_between_two_configs() -> None:
    before = config(blocks=[{"name": "lstm"}, {"name": "tcn"}])
    assert changes(before, before) == "nothing"
    wider = config(blocks=[{"name": "lstm"}, {"name": "tcn", "levels": 2}], d_model=64)
    assert changes(before, wider) == "1.tcn.levels 4 to 2, d_model 32 to 64"
    other = config(blocks=[{"name": "gru"}], head={"name": "sde"}, d_model=64, history=96, patch=1)
    assert changes(before, other) == "blocks lstm+tcn to gru, head gbm to sde, d_model 32 to 64, 2 more"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"blocks": [{"name": "tcn"}, {"name": "lstm"}], "head": {"name": "gbm"}, "d_model": 32, "history": 48},
            "tcn+lstm>gbm d32 h48",
        ),
        ({"blocks": [], "head": {"name": "sde"}}, "none>sde"),
        ({"blocks": ["nonsense", {}], "head": "gbm"}, "?>?"),
    ],
)
def test_a_sketch_takes_configs_that_nobody_checked(config: dict[str, object], expected: str):
    assert sketch(config) == expected


def test_a_network_is_spelled_alike_everywhere():
    config = {"blocks": [{"name": "tcn"}, {"name": "lstm"}], "head": {"name": "sde"}}
    candidate = Candidate(index=0, source="tpe", config=config, hash="0")
    label, whole = NetConfig.from_dict(config).label, short(canonical(config))
    spelled = {text.split()[0] for text in (label, sketch(config), candidate.architecture, whole)}
    assert spelled == {"tcn+lstm>sde"}


def test_a_recipe_is_told_where_it_is_set() -> None:
    short_and_tilted = config(training={"steps": 0.4, "tilt": -0.25})
    assert short(short_and_tilted) == "lstm>gbm training(steps=0.4 tilt=-0.25)"
    assert changes(config(), short_and_tilted) == "training.steps 1 to 0.4, training.tilt 0 to -0.25"
    assert changes(short_and_tilted, config(training={"steps": 0.4})) == "training.tilt -0.25 to 0"
