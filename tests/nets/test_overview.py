"""The table of blocks and heads."""

import pytest

from synthcity.errors import ConfigError
from synthcity.nets import registry
from synthcity.nets.overview import components


def test_every_component_has_a_row_that_tells_what_it_is() -> None:
    table = components()
    assert set(table.index) == registry.blocks().keys() | registry.heads().keys()
    assert set(table.index[table["kind"] == "head"]) == set(registry.heads())
    assert list(table.columns) == ["kind", "causal", "options", "origin", "doc"]
    assert (table["origin"] == "synthcity").all()
    assert (table["doc"].str.len() > 20).all()
    assert not table["doc"].str.contains("\n").any()


def test_one_can_be_asked_for_and_a_wrong_name_gives_the_nearest() -> None:
    assert components("tcn").index.tolist() == ["tcn"]
    with pytest.raises(ConfigError, match="did you mean 'tcn'"):
        components("tcnn")
