from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthcity.vault.layout import checked, file_key, identified, identity_of, index_key, is_id, new_id


def test_ids_sort_by_time_and_keep_what_they_are_of(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1.7e9, 1.7e9 + 0.001, 1.8e9, 4.0e9])
    monkeypatch.setattr(time, "time", lambda: next(clock))
    ids = [new_id(b"a run") for _ in range(4)]
    assert ids == sorted(set(ids))
    assert {identity_of(one) for one in ids} == {identified(b"a run")}
    assert all(map(is_id, ids))
    assert identity_of(ids[0]) != identified(b"another run")


def test_a_push_sorts_after_the_last_one_wherever_the_clock_went(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1.8e9)
    late = new_id(b"a run")
    monkeypatch.setattr(time, "time", lambda: 1.7e9)
    later = new_id(b"a run", after=late)
    assert later > late
    assert new_id(b"a run", after=later) > later


@pytest.mark.parametrize("text", ["", "sweep", "8" + "0" * 25, "0" * 25, "0" * 25 + "I", "0" * 27, "../" + "0" * 23])
def test_what_is_no_id(text: str) -> None:
    assert not is_id(text)


def test_keys() -> None:
    entry = new_id(b"x")
    assert index_key("run", entry) == f"runs/{entry}/index.json"
    assert file_key("bundle", entry, "members/0/config.json") == f"bundles/{entry}/members/0/config.json"
    assert file_key("run", entry, "a b=[ü].json").endswith("/a=20b=3D=5B=C3=BC=5D.json")
    assert file_key("run", entry, "a/.b/..c").endswith("/a/=2Eb/=2E.c")


@given(st.lists(st.text(min_size=1, max_size=20).filter(lambda t: "/" not in t), min_size=1, max_size=4), st.data())
def test_whatever_a_file_is_called_its_key_is_plain_and_its_own(parts: list[str], data: st.DataObject) -> None:
    other = data.draw(st.permutations(parts))
    entry = new_id(b"x")
    try:
        key, second = (file_key("run", entry, "/".join(names)) for names in (parts, other))
    except UnicodeEncodeError:  # half a character
        return
    assert checked(key) == key
    assert (key == second) == (parts == other)


@pytest.mark.parametrize("key", ["a//b", "/a", "a/../b", "..", "a/.b", "a b", "a%20", "a#", "ü", "a\\b", "a" * 901])
def test_keys_that_some_vault_refuses(key: str) -> None:
    with pytest.raises(ValueError, match="a key is made of"):
        checked(key)
