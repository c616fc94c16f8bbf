"""How fast is an answer to a signed prompt, generation included, to its last byte?

Run ``python benchmarks/serving.py --bittensor PYTHON`` with an interpreter that has bittensor 10.5. On the same
machine, in the same run and in turns, the same signed request of 1,000 paths goes to

- ``axon``: an axon of bittensor 10.5 whose handler draws normal steps with NumPy and returns a synapse;
- ``app``: this application under uvicorn with the baseline ``reference``, normal steps as well;
- ``serve``: the same on Ray Serve behind HAProxy, as ``synthcity serve`` starts it (with ``--ray``).

``bare`` is what no server goes below: ``simulate``, ``orjson`` and one round trip of as many bytes over the loopback.
Medians; no answer is compressed, except in the row that says so, which is what dendrites accept.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read once, when NumPy loads

import argparse
import contextlib
import hashlib
import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from bittensor_wallet import Keypair

from synthcity.durations import DAY
from synthcity.forecast.baselines import baseline
from synthcity.market.bars import Bars
from synthcity.market.store import Store
from synthcity.serve.admission.metagraph import Neuron, Snapshot
from synthcity.serve.answering.clock import simulate
from synthcity.serve.answering.prices import StorePrices
from synthcity.serve.answering.reply import encode_reply
from synthcity.sn50.prompt import Prompt

MINER, VALIDATOR = Keypair.create_from_uri("//Miner"), Keypair.create_from_uri("//Validator")
EMPTY = hashlib.sha3_256(b"").hexdigest()
PRICE = 90_000.0
GRIDS = {"24 h": (DAY, 300), "1 h": (3600, 60)}
RUN = "from synthcity.cli.main import main; main()"
CHILD = """
import sys, socket, uvicorn
from synthcity.serve.build import ServeConfig, build
folder, port, hotkey = sys.argv[1:]
config = ServeConfig(model=f"{folder}/model", store=f"{folder}/store", state=f"{folder}/app", hotkey=hotkey,
                     metagraph=f"{folder}/metagraph.json")
listener = socket.create_server(("127.0.0.1", int(port)))
print("ready", flush=True)
uvicorn.Server(uvicorn.Config(build(config).app, log_level="error")).run(sockets=[listener])
"""

ECHO = """
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
while True:
    peer, _ = listener.accept()
    with peer:
        peer.sendall(bytes(int(peer.recv(1000))))
"""


def fill(folder: Path, days: int = 3) -> float:
    """Write prices up to now and the subnet; return the volatility of a minute."""
    sigma, last = 5e-4, int(time.time()) // 300 * 300
    for resolution in (60, 300):
        time_ = np.arange(last - days * DAY, last, resolution, dtype=np.int64)
        rng = np.random.default_rng(resolution)
        close = PRICE * np.exp(np.cumsum(rng.standard_normal(len(time_)) * sigma * (resolution / 60) ** 0.5) * 0.01)
        bars = Bars(time_, close, close, close, close, np.ones(len(time_)), resolution)
        Store(folder / "store").append("BTC", "walk", resolution, bars)
    neurons = {VALIDATOR.ss58_address: Neuron(uid=1, stake=1e6, validator_permit=True, ip="")}
    Snapshot(netuid=50, block=1, taken_at=time.time(), neurons=neurons).write(folder / "metagraph.json")
    return sigma


def ask(port: int, grid: tuple[int, int], uuid: str, encoding: str = "identity") -> int:
    """Send one signed prompt on a new connection, as validators do, and read to the last byte; return the bytes."""
    nonce = time.time_ns()
    start = datetime.fromtimestamp(nonce // 10**9 // 60 * 60 + 120, UTC).isoformat()
    caller, receiver = VALIDATOR.ss58_address, MINER.ss58_address
    signature = VALIDATOR.sign(f"{nonce}.{caller}.{receiver}.{uuid}.{EMPTY}".encode()).hex()
    headers = {
        "name": "Simulation",
        "timeout": "60.0",
        "bt_header_axon_ip": "127.0.0.1",
        "bt_header_axon_port": str(port),
        "bt_header_axon_hotkey": receiver,
        "bt_header_dendrite_ip": "127.0.0.1",
        "bt_header_dendrite_version": "10005000",
        "bt_header_dendrite_nonce": str(nonce),
        "bt_header_dendrite_uuid": uuid,
        "bt_header_dendrite_hotkey": caller,
        "bt_header_dendrite_signature": f"0x{signature}",
        "bt_header_input_obj_simulation_input": "e30=",
        "header_size": "0",
        "total_size": "0",
        "computed_body_hash": EMPTY,
        "content-type": "application/json",
        "accept-encoding": encoding,
    }
    asked = {"asset": "BTC", "start_time": start, "time_increment": grid[1], "time_length": grid[0]}
    synapse = {"name": "Simulation", "simulation_input": {**asked, "num_simulations": 1000}, "simulation_output": None}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("POST", "/Simulation", json.dumps(synapse), headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"port {port} answered {answer.status}: {content[:200]!r}")
        return len(content)
    finally:
        connection.close()


def in_parallel(port: int, grid: tuple[int, int], name: str, clients: int) -> float:
    """Seconds until as many clients have each got an answer."""
    begin = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda i: ask(port, grid, f"{name}-{i}"), range(clients)))
    return time.perf_counter() - begin


@contextlib.contextmanager
def child(command: list[str], ready: str) -> Iterator[None]:
    """Run a server until the end of the block, from the line on that says it is ready."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(ready):
                break
        else:
            raise RuntimeError(f"{command[:3]} ended with {process.wait()}")
        try:
            yield
        finally:
            process.terminate()


def wait_for(port: int, name: str) -> None:
    """Ask until there is an answer."""
    for _ in range(300):
        with contextlib.suppress(OSError, RuntimeError):
            ask(port, GRIDS["1 h"], f"{name}-wait")
            return
        time.sleep(0.2)
    raise RuntimeError(f"{name} does not answer")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


class Bare:
    """The cost below all servers: the answer itself, and its bytes once over the loopback."""

    def __init__(self, folder: Path, port: int) -> None:
        self.prices, self.model = StorePrices(Store(folder / "store")), baseline("reference")
        self.port = port

    def __call__(self, grid: tuple[int, int]) -> None:
        now = time.time()
        prompt = Prompt(asset="BTC", start_time=int(now) // 60 * 60 + 120, time_length=grid[0], time_increment=grid[1])
        drawn = simulate(self.model, self.prices.history("BTC", now), prompt)
        length = len(encode_reply(drawn.paths, prompt))
        with socket.create_connection(("127.0.0.1", self.port)) as peer:
            peer.sendall(str(length).encode())
            while peer.recv(1 << 20):
                pass


def timed(run: Callable[[], object]) -> float:
    """Seconds of the second of two runs: each finds its own data in the caches, not that of who came before."""
    run()
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bittensor", required=True, metavar="PYTHON", help="interpreter that has bittensor 10.5")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--ray", action="store_true", help="also time Ray Serve behind HAProxy")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        sigma, hotkey = fill(folder), MINER.ss58_address
        baseline("reference").save(folder / "model")  # by its name it would be served with quantised paths
        ports = {"axon": free_port(), "app": free_port()}
        axon = [options.bittensor, str(Path(__file__).with_name("serving_axon.py")), str(ports["axon"])]
        stack.enter_context(child([*axon, str(sigma), str(PRICE)], "ready"))
        stack.enter_context(child([sys.executable, "-c", CHILD, name, str(ports["app"]), hotkey], "ready"))
        if options.ray:
            ports["serve"] = free_port()
            served = [sys.executable, "-c", RUN, "serve", f"{name}/model", "--data", f"{name}/store", "--state"]
            served += [f"{name}/serve", "--port", str(ports["serve"]), "--hotkey", hotkey]
            stack.enter_context(child([*served, "--metagraph", f"{name}/metagraph.json"], "serving"))
        for server, port in ports.items():
            wait_for(port, server)
        echo = free_port()
        stack.enter_context(child([sys.executable, "-c", ECHO, str(echo)], "ready"))
        report(ports, Bare(folder, echo), options.repeats, options.clients)


def report(ports: dict[str, int], bare: Bare, repeats: int, clients: int) -> None:
    print(f"medians of {repeats} turns, milliseconds; {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    for grid_name, grid in GRIDS.items():
        taken: dict[str, list[float]] = {name: [] for name in ("bare", *ports, "app, gzip")}
        for _ in range(repeats):
            taken["bare"].append(timed(lambda grid=grid: bare(grid)))
            for server, port in ports.items():
                taken[server].append(timed(lambda s=server, p=port, g=grid: ask(p, g, s)))
            taken["app, gzip"].append(timed(lambda g=grid: ask(ports["app"], g, "gzip", "gzip")))
        middle = {name: float(np.median(values)) * 1e3 for name, values in taken.items()}
        for name, value in middle.items():
            against = f"{middle['axon'] / value:6.1f} x as fast as axon, {value / middle['bare']:6.2f} x bare"
            print(f"  one {grid_name} prompt  {name:10} {value:9.1f}   {against}")
    grid = GRIDS["24 h"]
    rounds: dict[str, list[float]] = {name: [] for name in ports}
    for _ in range(max(3, repeats // 4)):
        for server, port in ports.items():
            rounds[server].append(in_parallel(port, grid, server, clients))
    throughput = {name: clients / float(np.median(values)) for name, values in rounds.items()}
    for name, value in throughput.items():
        print(
            f"  {clients} at once, 24 h    {name:10} {value:9.2f} prompts/s   {value / throughput['axon']:6.1f} x axon"
        )


if __name__ == "__main__":
    main()
