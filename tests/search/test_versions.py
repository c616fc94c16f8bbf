"""A run tells what it ran on."""

from __future__ import annotations

import re

import pytest

from synthcity.search import run


def test_versions_name_the_packages_and_the_commit_of_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = run._versions()
    assert {"python", "torch", "ray", "numpy"} <= set(versions)
    if "git" in versions:
        assert re.fullmatch(r"[0-9a-f]{40}", versions["git"])
    monkeypatch.setattr(run, "_revision", lambda: None)
    assert "git" not in run._versions()


def test_no_git_is_no_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object, **options: object) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(run.subprocess, "run", missing)
    assert run._revision() is None
