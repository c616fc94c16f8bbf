from __future__ import annotations

import pytest

from synthcity.errors import ConfigError
from synthcity.search.candidates.presets import _read as read
from synthcity.search.candidates.presets import hand_written, presets
from synthcity.search.candidates.space import canonical


def test_every_packaged_candidate_is_a_preset_with_a_name_and_a_line_about_it() -> None:
    found = presets()
    assert list(found)[:2] == ["summary_gbm", "lstm_gbm"]
    assert all(name == preset.name and not name[0].isdigit() for name, preset in found.items())
    assert all(preset.doc.endswith(".") and "#" not in preset.doc for preset in found.values())
    assert len({str(canonical(preset.config)) for preset in found.values()}) == len(found)


def test_presets_by_name_and_whole_networks_in_the_order_asked() -> None:
    own = {"d_model": 16, "blocks": [{"name": "tcn"}], "head": {"name": "sde"}}
    found = hand_written(["tcn_sde", own, "lstm_gbm"])
    assert [name for name, _ in found] == ["tcn_sde", "tcn>sde d16", "lstm_gbm"]
    assert found[1][1] == own
    assert [name for name, _ in hand_written(None)] == list(presets())
    assert hand_written([]) == []


@pytest.mark.parametrize(
    ("candidate", "message"),
    [
        ("lstm_gmb", "unknown preset 'lstm_gmb'; did you mean 'lstm_gbm'"),
        ({"blocks": [{"name": "lstn"}]}, "unknown block 'lstn'; did you mean 'lstm'"),
        ({"head": {"name": "gmb"}}, "unknown head 'gmb'; did you mean 'gbm'"),
        ({"d_model": 33}, "d_model is 33"),
    ],
)
def test_what_is_neither_is_refused_with_the_nearest(candidate: str | dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        hand_written([candidate])


@pytest.mark.parametrize(("text", "message"), [("a: [", "is no valid YAML"), ("- 1", "must hold keys and values")])
def test_a_damaged_file_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"09_x.yaml {message}"):
        read("09_x.yaml", text)
