"""What a cluster is given before Ray starts; what Ray makes of it is tried where a search or a service runs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from synthcity.cluster.local import _LONGEST, _ray_folder, free_memory


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
