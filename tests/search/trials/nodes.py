"""A search on a cluster whose machines come and go, as a process of its own.

``python -m tests.search.trials.nodes FOLDER JSON``: a head without CPUs; ``nodes``: how many machines of one CPU each
join once the search says that it waits for one; ``kill``: after the first checkpoint one of them is killed, and another
comes. The rest is ``tests.search.drive``'s.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from synthcity.cluster.local import _QUIET
from synthcity.rates import LABEL
from tests.search import drive


def main(folder: Path, options: dict[str, Any]) -> int:
    from ray.cluster_utils import Cluster

    count, kill = options.pop("nodes"), options.pop("kill")
    cluster = Cluster(initialize_head=True, connect=False, head_node_args={"num_cpus": 0, "include_dashboard": False})
    os.environ["RAY_ADDRESS"] = cluster.address
    done = []

    def join() -> Any:  # one at a time: two raylets that boot at once on one machine may take each other's port
        return cluster.add_node(wait=True, num_cpus=1, labels={LABEL: "3.6"}, object_store_memory=80_000_000)

    def search() -> None:
        drive.main(folder, options)
        done.append(True)

    def wait_for(*kinds: str) -> None:
        while thread.is_alive() and not any(f'"{kind}"' in _text(folder) for kind in kinds):
            time.sleep(0.05)

    thread = threading.Thread(target=search)  # Ray's nodes are started on the main one
    thread.start()
    wait_for("stage")
    there = [join() for _ in range(count)]
    if kill:
        wait_for("checkpoint")
        cluster.remove_node(there[0], allow_graceful=False)
        join()
    thread.join()
    cluster.shutdown()
    return 0 if done else 1


def _text(folder: Path) -> str:
    path = folder / "journal.jsonl"
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    os.environ.update({**_QUIET, "RAY_AUTH_MODE": "disabled"})
    sys.exit(main(Path(sys.argv[1]), json.loads(sys.argv[2])))
