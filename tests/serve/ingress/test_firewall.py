"""The packaged rules, loaded by the kernel in a network of the test's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from synthcity.serve.ingress.firewall import SHARE, firewall

TRY = """
import json, socket, subprocess, sys
run = lambda *words: subprocess.run(words, check=True, capture_output=True)
run("ip", "link", "set", "lo", "up")
run("ip", "addr", "add", "203.0.113.7/32", "dev", "lo")
run("ip", "addr", "add", "2001:db8::7/128", "dev", "lo", "nodad")
PORTS = (8091, 8404, 30000, 45000, 22)
servers = [socket.create_server(("", port), backlog=512, family=socket.AF_INET6, dualstack_ipv6=True) for port in PORTS]

def opens(address, port, source=None):
    try:
        return socket.create_connection((address, port), 2, source)
    except OSError:
        return None

def tried(address):
    return [port for port in PORTS if opens(address, port)]

told = {"before": tried("203.0.113.7")}
run("nft", "-f", sys.argv[1])
run("nft", "-f", sys.argv[1])  # again, as at every start of the machine
told |= {"outside": tried("203.0.113.7"), "six": tried("2001:db8::7"), "inside": tried("127.0.0.1")}
held = [opens("203.0.113.7", 8091) for _ in range(int(sys.argv[2]) + 20)]
told |= {"held": sum(one is not None for one in held), "other": bool(opens("203.0.113.7", 8091, ("127.0.0.9", 0)))}
print(json.dumps(told))
"""


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("nft") or not shutil.which("ip"), reason="needs root and nft")
def test_the_public_port_stays_open_and_rays_are_closed(tmp_path: Path):
    (tmp_path / "rules.nft").write_text(firewall(8091))
    command = ["unshare", "--net", sys.executable, "-c", TRY, str(tmp_path / "rules.nft"), str(SHARE)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["before"] == told["inside"] == [8091, 8404, 30000, 45000, 22]
    assert told["outside"] == told["six"] == [8091, 22]
    assert SHARE - 2 <= told["held"] <= SHARE + 1
    assert told["other"]


def test_a_port_of_its_own_is_written_everywhere():
    assert "PORT" not in firewall(45000)
    assert firewall(45000).count("45000") == 3
    assert firewall(45000).count(f"over {SHARE} ") == 2
