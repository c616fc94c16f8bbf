"""A run tells what it ran on."""

from __future__ import annotations

import re

import pytest

from synthcity.search import versions


def test_versions_name_the_packages_and_the_commit_of_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    found = versions.versions()
    assert {"python", "torch", "ray", "numpy"} <= set(found)
    if "git" in found:
        assert re.fullmatch(r"[0-9a-f]{40}", found["git"])
    monkeypatch.setattr(versions, "_revision", lambda: None)
    assert "git" not in versions.versions()


def test_no_git_is_no_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object, **options: object) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(versions.subprocess, "run", missing)
    assert versions._revision() is None


def test_machines_are_told_apart_by_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["host-a", "host-a", "host-b"]
    monkeypatch.setattr(versions.platform, "node", lambda: names.pop(0))
    first, same, other = (versions.this_machine() for _ in range(3))
    assert first == same != other
    assert "host" not in first
