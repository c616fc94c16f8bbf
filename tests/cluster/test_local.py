"""What a cluster is given before Ray starts; what Ray makes of it is tried where a search or a service runs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from synthcity.cluster import local
from synthcity.cluster.local import _LONGEST, _ray_folder, cluster, free_memory, sized
from synthcity.errors import ConfigError, Fatal


def test_rays_folder_lies_below_one_that_only_this_user_may_enter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Ray gives everybody the right to write to its own, and so to put another token there."""
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    with _ray_folder() as folder:
        private, token = folder.parent, Path(os.environ["RAY_AUTH_TOKEN_PATH"])
        assert (private.stat().st_mode & 0o777, private.stat().st_uid) == (0o700, os.getuid())
        assert (token.parent, token.stat().st_mode & 0o777) == (private, 0o600)
        assert len(str(private)) <= _LONGEST
        folder.chmod(0o777)
    assert not private.exists()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("long" * 10)))
    with _ray_folder() as folder:
        assert folder.parent.parent == Path("/tmp")


def test_free_memory_is_told():
    assert free_memory() > 1 << 20


@pytest.mark.slow
def test_a_searchs_own_cluster_listens_on_this_machine_alone():
    """Ray is imported long before: what it then has read of its settings must not decide."""
    code = """
import os, ray
from synthcity.cluster.local import cluster
from synthcity.serve.ingress.outside import descendants, listeners
with cluster(1):
    ray.get(ray.remote(lambda: 1).remote())
    found = listeners(descendants(os.getpid()))
print(sorted({one.address for one in found}), len(found) > 5)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines()[-1] == "['127.0.0.1'] True"


def test_this_machine_is_divided_among_as_many_workers_as_have_room():
    def here(workers: int | None, gpus_per_worker: float | None, cpus: int, gpus: int) -> tuple[int, float]:
        found = sized(workers, gpus_per_worker, {"CPU": cpus, "GPU": gpus}, is_elsewhere=False)
        return found.workers, found.gpus_per_worker

    assert here(None, None, 2, 0) == (2, 0.0)
    assert here(8, None, 2, 0) == (2, 0.0)
    assert here(None, None, 8, 1) == (8, 0.125)
    assert here(3, None, 8, 2) == (3, 0.5), "two on one GPU and one on the other"
    assert here(2, None, 8, 4) == (2, 2.0)
    assert here(None, 0.25, 16, 2) == (8, 0.25)
    assert here(None, 0.3, 16, 2) == (6, 0.3), "none lies on two GPUs"
    assert here(None, 1.0, 16, 2) == (2, 1.0)
    assert here(4, 0.0, 16, 2) == (4, 0.0)
    with pytest.raises(ConfigError, match=r"search\.gpus_per_trial is 0\.25 and this machine has no GPU; set it to 0"):
        here(None, 0.25, 2, 0)


def test_elsewhere_what_is_asked_for_does_not_follow_what_is_there_now():
    def there(workers: int | None, gpus_per_worker: float | None, **total: float) -> dict[str, float]:
        found = sized(workers, gpus_per_worker, total, is_elsewhere=True)
        return {"workers": found.workers, **found.resources}

    assert there(16, None) == {"workers": 16, "cpu": 1.0}
    assert there(16, 0.5) == {"workers": 16, "cpu": 1.0, "gpu": 0.5}
    assert there(None, None, CPU=24) == {"workers": 24, "cpu": 1.0}
    assert there(None, 1, CPU=32, GPU=4) == {"workers": 4, "cpu": 1.0, "gpu": 1.0}
    with pytest.raises(ConfigError, match=r"no worker yet .* set search\.workers"):
        there(None, None)


def test_a_cluster_of_ours_without_a_node_counts_what_it_may_grow_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray tells nobody what its autoscaler was told."""
    import ray

    monkeypatch.setattr(ray, "cluster_resources", lambda: {"memory": 1e9})
    monkeypatch.setattr("ray._private.state.state.get_max_resources_from_cluster_config", lambda: None)
    monkeypatch.setattr(local, "most_resources", lambda: {"CPU": 4, "GPU": 2})
    total = local._total()
    assert total == {"memory": 1e9, "CPU": 4.0, "GPU": 2.0}
    assert sized(None, None, total, is_elsewhere=True).workers == 4


def test_what_waits_for_nodes_is_not_called_infeasible_and_other_complaints_are_shown():
    code = """
import synthcity.cluster.local
from ray._private.ray_logging import stdout_deduplicator as shown
for line in ("There are tasks with infeasible resource requests that cannot be scheduled.", "Out of memory: killed."):
    done = shown.deduplicate({"lines": [line], "pid": "raylet", "is_err": False, "ip": "", "job": ""})
    print([left for batch in done for left in batch["lines"]])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['Out of memory: killed.']"], "what ends a worker is heard"


def test_a_cluster_that_lets_nobody_in_says_what_it_may_want(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def refuse(**_: object) -> None:
        raise ConnectionError("nobody is let in")

    monkeypatch.setattr(ray, "init", refuse)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.1.1:7006")
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    with pytest.raises(Fatal, match=r"127\.0\.1\.1:7006: nobody is let in; .* RAY_AUTH_TOKEN_PATH"):
        cluster(2).__enter__()
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "its-token")
    with pytest.raises(Fatal, match=r"nobody is let in$"):
        cluster(2).__enter__()
