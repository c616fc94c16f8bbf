"""A replica is killed with prompts in hand: another one answers them, nonce and all."""

from __future__ import annotations

import csv
import os
import signal
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from synthcity.market.store import Store
from synthcity.private import environment
from synthcity.serve.build import ServeConfig
from synthcity.serve.deployment import ClusterConfig, serving
from tests.ports import free_ports
from tests.serve.dialogue import MINER, body, headers, market, question, write_snapshot

ASKERS = 8


def _replicas() -> list[int]:
    """Process ids of the replicas of the cluster that this process started."""
    parents, found = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if (folder / "cmdline").read_text().startswith("ray::ServeReplica"):
                found.append(int(folder.name))
        except OSError:  # gone meanwhile
            pass

    def is_ours(pid: int) -> bool:
        while pid in parents and pid != os.getpid():
            pid = parents[pid]
        return pid == os.getpid()

    return [pid for pid in found if is_ours(pid)]


def _num_retried(inside: str) -> int:
    rows = csv.DictReader(httpx.get(f"http://{inside}:8404/stats;csv", trust_env=False).text.splitlines())
    return sum(int(row["wredis"] or 0) + int(row["wretr"] or 0) for row in rows)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Ray and what it imports
def test_prompts_of_a_killed_replica_are_answered_by_another(tmp_path: Path):
    for (asset, resolution), bars in market(("BTC",), days=15, now=time.time()).items():
        Store(tmp_path / "store").append(asset, "test", resolution, bars)
    (port,) = free_ports(1)
    config = ServeConfig(
        model="fhs",
        store=str(tmp_path / "store"),
        state=str(tmp_path / "state"),
        max_per_caller=128,  # these ask as fast as they can, and what waits to be recorded counts
        hotkey=MINER.ss58_address,
        metagraph=str(write_snapshot(tmp_path)),
    )
    outcomes: list[str] = []
    ended = threading.Event()

    def ask(number: int) -> None:
        while not ended.is_set():
            now = time.time()
            start = datetime.fromtimestamp(int(now) // 60 * 60 + 120, UTC).isoformat()
            asked, sent = body(question(start_time=start)), headers(now, uuid=f"asker-{number}")
            try:
                outcomes.append(
                    str(httpx.post(url, content=asked, headers=sent, trust_env=False, timeout=60).status_code)
                )
            except httpx.HTTPError as error:
                outcomes.append(str(error))

    url = f"http://127.0.0.1:{port}/Simulation"
    path = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    with environment(path), serving(config, ClusterConfig(port=port, replicas=2)) as deployed:
        askers = [threading.Thread(target=ask, args=(number,)) for number in range(ASKERS)]
        for asker in askers:
            asker.start()
        try:
            time.sleep(3)
            first, _ = _replicas()
            os.kill(first, signal.SIGKILL)
            retried = 0
            for _ in range(30):  # HAProxy counts from 0 again once Ray has told it of the end
                time.sleep(0.1)
                retried = max(retried, _num_retried(deployed.front.inside))
        finally:
            ended.set()
            for asker in askers:
                asker.join()
    assert set(outcomes) == {"200"}, Counter(outcomes)
    assert retried > 0, "nothing was in hand when it was killed"
