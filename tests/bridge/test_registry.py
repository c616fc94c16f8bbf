"""All operations, and that one more is found everywhere."""

from __future__ import annotations

from synthcity.bridge.registry import operations


def test_routes_and_names_stand_once() -> None:
    found = operations()
    assert len({(one.method, one.route) for one in found.values()}) == len(found)
    assert all(one.name == name for name, one in found.items())


def test_each_says_what_it_does_in_a_sentence_and_fits_its_route() -> None:
    for one in operations().values():
        assert one.about.endswith("."), one.name
        assert set(one.in_path) <= set(one.takes.model_fields), one.name
        assert not one.long or one.writes, one.name
