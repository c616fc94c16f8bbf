from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.cluster.folder import Folder, Head, find_up, folder_of
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import Process
from synthcity.errors import ConfigError, RunError


def head() -> Head:
    me = Process.of(os.getpid())
    assert me is not None
    return Head(process=me, gcs="127.0.1.1:7006", url="http://127.0.0.1:8265", ray="/tmp/ray", home="/home")


def test_what_is_written_is_read_back(folder: Folder, plan: Plan) -> None:
    assert folder.plan == plan
    assert folder.token.stat().st_mode & 0o777 == 0o600
    told = replace(head(), heartbeat="/state/reaper.json")
    folder.write_head(told)
    assert folder.head == told


def test_a_head_that_ended_is_none_although_its_id_was_given_again(folder: Folder) -> None:
    assert folder.head is None
    folder.write_head(replace(head(), process=Process(os.getpid(), 1)))
    assert folder.head is None


def test_a_cluster_is_found_by_name_or_alone(folder: Folder, tmp_path: Path) -> None:
    root = folder.path.parent
    with pytest.raises(ConfigError, match="no cluster is up"):
        find_up(root, None)
    folder.write_head(head())
    assert find_up(root, None) == find_up(root, "tests") == (folder, head())
    other = folder_of(root, "other")
    other.path.mkdir()
    other.write_head(head())
    with pytest.raises(ConfigError, match="name one of other, tests"):
        find_up(root, None)
    with pytest.raises(ConfigError, match="unknown cluster 'test'; did you mean 'tests'"):
        find_up(root, "test")


def test_one_command_at_a_time_starts_or_ends_a_cluster(folder: Folder) -> None:
    with (
        folder.held(),
        pytest.raises(RunError, match="being started or ended by another"),
        Folder(folder.path).held(),
    ):
        pass
    with folder.held():
        pass


def test_what_the_system_refuses_is_told_as_what_it_is(folder: Folder, tmp_path: Path) -> None:
    with (
        pytest.raises(RunError, match=r"tests can be neither started nor ended: .*temporarily unavailable"),
        folder.held(),
    ):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")  # as by a limit of processes
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="Not a directory"), folder_of(tmp_path / "file", "tests").held():
        pass


def test_nothing_that_belongs_to_another_cluster_is_passed_on(folder: Folder) -> None:
    told = folder.environment({"RAY_ADDRESS": "x", "RAY_AUTH_TOKEN": "y", "RAY_worker_niceness": "3", "HOME": "/h"})
    assert told == {
        "HOME": "/h",
        "RAY_worker_niceness": "3",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(folder.path / "token"),
        "RAY_USAGE_STATS_ENABLED": "0",
        "SYNTHCITY_CLUSTER": str(folder.path),
    }
