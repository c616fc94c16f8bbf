from __future__ import annotations

import pytest

from synthcity.rent.naming import Named, cluster_name, cluster_prefix, new_name, node_type_name, read_name


def test_a_name_tells_its_cluster_and_node_type() -> None:
    name = new_name("a" * 16, "b" * 12)
    assert len(name) <= 64
    assert name.startswith(cluster_prefix("a" * 16))
    assert read_name(name) == Named(cluster="a" * 16, node_type="b" * 12)
    assert new_name("a", "b") != new_name("a", "b")


@pytest.mark.parametrize(
    "name", ["", "synthcity-a-b", "synthcity-a-b-0123", "Synthcity-a-b-0123456789ab", "x-synthcity-a"]
)
def test_another_name_is_none_of_ours(name: str) -> None:
    assert read_name(name) is None


def test_no_cluster_begins_as_another_does() -> None:
    assert not new_name("syntha2", "gpu").startswith(cluster_prefix("syntha"))


@pytest.mark.parametrize("value", ["", "A", "a-b", "a" * 17, 5, "a\n"])
def test_what_no_name_may_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="small letters and digits"):
        cluster_name(value)
    with pytest.raises(ValueError, match="1 to 12"):
        node_type_name(value)
