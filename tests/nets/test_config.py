"""Configurations are checked, completed and described as plain data."""

import json

import pytest

from synthcity.errors import ConfigError
from synthcity.nets.config import RECIPE, NetConfig, parameters
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
        ({"training": {"steps": 0.5}}, r"training.steps is 0.5; it must be one of \[0.4, 0.6, 0.8, 1.0\]"),
        ({"training": {"schedule": "cosin"}}, r"it must be one of \['cycle', 'cosine', 'trapezoid'\]"),
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


def test_a_recipe_is_written_down_where_it_is_none_of_the_defaults():
    before = NetConfig.from_dict({}).to_dict()
    assert sorted(before["training"]) == ["batch_size", "learning_rate", "num_paths", "weight_decay"]
    assert NetConfig.from_dict({"training": dict(RECIPE)}).to_dict() == before
    for name, value in {"steps": 0.4, "schedule": "cosine", "tilt": -0.5, "half_life": 120}.items():
        told = NetConfig.from_dict({"training": {name: value}})
        assert told.to_dict()["training"] == {**before["training"], name: value}
        assert NetConfig.from_dict(told.to_dict()) == told


def test_a_choice_is_kept_as_it_is_listed():
    written = NetConfig.from_dict({"d_model": 48.0, "training": {"half_life": 40.0, "tilt": 0}})
    assert json.dumps(written.to_dict()) == json.dumps(
        NetConfig.from_dict({"d_model": 48, "training": {"half_life": 40}}).to_dict()
    )


@pytest.mark.parametrize("share", [0.4, 0.6, 0.8, 1.0])
def test_the_steps_of_a_shorter_training_are_those_of_a_longer_run(share: float):
    training = NetConfig.from_dict({"training": {"steps": share}}).training
    assert training.trained(1000) == round(1000 * share)
    assert all(training.trained(training.whole(steps)) == steps for steps in range(1, 300))
