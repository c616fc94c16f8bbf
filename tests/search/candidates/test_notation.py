from __future__ import annotations

from synthcity.search.candidates.notation import changes, differences, short
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
