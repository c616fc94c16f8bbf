"""Configurations are checked, completed and described as plain data."""

import json

import pytest

from synthcity.errors import ConfigError
from synthcity.nets.config import NetConfig, parameters
from synthcity.nets.registry import blocks, describe, heads


def test_defaults_are_completed_and_stable():
    full = NetConfig.from_dict({"blocks": [{"name": "lstm"}]}).to_dict()
    assert full["blocks"] == [{"name": "lstm", "num_layers": 1, "dropout": 0.1}]
    assert full["head"]["name"] == "gbm"
    assert NetConfig.from_dict(full).to_dict() == full
    assert json.loads(json.dumps(full)) == full


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"d_modle": 32}, "unknown key of a candidate 'd_modle'; did you mean 'd_model'"),
        ({"d_model": 33}, r"candidate.d_model is 33; it must be one of \[16, 32, 48, 64\]"),
        ({"blocks": [{"name": "lstn"}]}, "unknown block 'lstn'; did you mean 'lstm'"),
        ({"blocks": [{"num_layers": 1}]}, "has no name"),
        ({"blocks": [{"name": "lstm"}] * 5}, "at most 4 blocks"),
        ({"blocks": "lstm"}, "must be a list"),
        ({"head": {"name": "gmb"}}, "unknown head 'gmb'; did you mean 'gbm'"),
        ({"head": "gbm"}, "must be a mapping"),
        ({"head": {"name": "gbm", "level": 1}}, "must be true or false"),
        ({"training": {"learning_rate": 1.0}}, r"must lie in \[0.0002, 0.008\]"),
        ({"training": {"learning_rate": "fast"}}, "must be a number"),
        ({"blocks": [{"name": "tcn", "levels": 2.5}]}, "must be a number of kind int"),
    ],
)
def test_nonsense_is_refused_with_the_value_and_the_remedy(config: dict[str, object], message: str):
    with pytest.raises(ConfigError, match=message):
        NetConfig.from_dict(config)


def test_every_component_is_documented_with_typed_ranges():
    plain = json.loads(json.dumps(describe()))
    assert set(plain["blocks"]) == set(blocks())
    assert set(plain["heads"]) == set(heads())
    for table in plain.values():
        for name, entry in table.items():
            assert len(entry["doc"]) > 100, name
            for parameter in entry["parameters"]:
                assert parameter["doc"], (name, parameter["name"])
    for parameter in (p for entry in (*blocks().values(), *heads().values()) for p in entry.parameters):
        assert parameter.check(parameter.default, "x") == parameter.default
    assert {p.name for p in parameters()} >= {"d_model", "history", "training.learning_rate"}


def test_label_is_short():
    assert NetConfig.from_dict({"blocks": [{"name": "tcn"}, {"name": "lstm"}]}).label == "tcn+lstm>gbm d32"
