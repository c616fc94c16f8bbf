from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from synthcity.serve.ingress.launch import write_launcher
from tests.serve.door import make_front

PARENT = """
import subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
print(process.pid, process.stdout.readline().strip(), flush=True)
sys.stdin.read()
"""


def test_haproxy_ends_with_whoever_started_it_however_that_ends(tmp_path: Path):
    """The program that stands in for HAProxy holds a pipe of ours, which is shut once it is gone."""
    binary = tmp_path / "haproxy"
    binary.write_text('#!/bin/sh\necho "$@"\nexec sleep 600\n')
    binary.chmod(0o700)
    (tmp_path / "haproxy.cfg").write_text("# narrowed by synthcity\n")
    launcher = write_launcher(tmp_path, make_front(1, "127.0.0.1"), str(binary))
    command = [sys.executable, "-c", PARENT, str(launcher), "-db", "-f", str(tmp_path / "haproxy.cfg")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, _, said = parent.stdout.readline().partition(" ")
        assert said.strip() == f"-db -f {tmp_path / 'haproxy.cfg'}"
        assert Path(f"/proc/{pid}/cmdline").exists()
        parent.kill()
        parent.wait()
        subprocess.run(["tail", f"--pid={pid}", "-f", "/dev/null"], check=True, timeout=30)


def test_a_configuration_of_another_ray_starts_nothing(tmp_path: Path):
    (tmp_path / "haproxy.cfg").write_text("global\n")
    launcher = write_launcher(tmp_path, make_front(1, "127.0.0.1"), "/bin/true")
    done = subprocess.run([launcher, "-f", tmp_path / "haproxy.cfg"], check=False, capture_output=True, text=True)
    assert (done.returncode, "use ray 2.60" in done.stderr) == (1, True)


def test_a_disk_where_nothing_can_be_executed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(PermissionError, match=r"nothing in .* can be executed; set TMPDIR"):
        write_launcher(tmp_path, make_front(1, "127.0.0.1"), "/bin/true")
