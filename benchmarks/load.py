"""Does the service hold the load of five validators at sixty times its rate, while things break?

Run ``python -m benchmarks.load [--minutes 10] [--rate 60] [--model BUNDLE] [--then BUNDLE]``. Five validators ask 75
prompts of 24 h and 120 of 1 h an hour each, times ``--rate``, of the deployment that ``synthcity mine`` uses, on Ray
Serve behind HAProxy: signed, each on a connection of its own, with the network's deadlines. Before that, ``--steps``
asks at other rates, to see where it saturates. Meanwhile

- 15 to 30 % of the time: no new prices;
- at 40 %: a replica is killed with SIGKILL;
- at 55 %: another bundle is rolled out, as the miner does it;
- 75 to 88 %: nobody writes the snapshot of the chain, and what lies there is half a file.

Every answer is checked, all of it (``load_check.py``); one after its deadline is missed, whatever it says. Sixty uuids
a validator stand for the sixty-fold rate, since the nonces of one uuid must arrive in order. Clients and checks run on
the same machine, the checks behind all else; the last lines say what they cost.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read once, when NumPy loads

import argparse
import contextlib
import hashlib
import http.client
import itertools
import json
import math
import multiprocessing
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from bittensor_wallet import Keypair

from benchmarks.load_check import check
from synthcity.forecast.baselines import baseline
from synthcity.lines import read_lines
from synthcity.market.bars import Bars
from synthcity.market.store import Store
from synthcity.serve.admission.metagraph import Neuron, Snapshot
from synthcity.serve.answering.answer_ledger import ANSWERS
from synthcity.serve.build import LEDGER
from synthcity.sn50.prompt import Prompt

MINER = Keypair.create_from_uri("//Miner")
VALIDATORS = [Keypair.create_from_uri(f"//Validator{i}") for i in range(5)]
ASSETS = {"BTC": 90_000.0, "ETH": 3_000.0, "SOL": 130.0, "XRP": 2.0, "HYPE": 30.0}
DAY, HOUR = (86400, 300), (3600, 60)
AN_HOUR = {DAY: 75, HOUR: 120}
EXTRA_SECONDS = {DAY: 60, HOUR: 0}  # from the next full minute to the start, and so to the deadline
SHORTEST_SECONDS = 10.0  # a prompt of 1 h that would leave less is for the minute after
EMPTY = hashlib.sha3_256(b"").hexdigest()
PRICES_AWAY, KILL, ROLL_OUT, CHAIN_AWAY = (0.15, 0.30), 0.40, 0.55, (0.75, 0.88)
SETTLED_SECONDS = 15.0  # after a roll-out the old replicas still answer what they have


@dataclass(frozen=True)
class Outcome:
    """One prompt: ``status`` of HTTP, 0 without any; ``phase`` is what was broken when it was asked.

    ``margin`` is what was left of the caller's patience, in seconds, below 0 when it was over.
    """

    grid: tuple[int, int]
    phase: str
    status: int
    seconds: float
    margin: float
    reason: str
    verdict: Future[str | None] | None


class World:
    """Writes prices every minute and the snapshot every few seconds, unless told not to."""

    def __init__(self, folder: Path, days: int = 15) -> None:
        self.store, self.metagraph = Store(folder / "store"), folder / "metagraph.json"
        self.prices_away, self.chain_away = False, False
        self._rng, self._last = np.random.default_rng(0), dict(ASSETS)
        self._done = {60: 0, 300: 0}
        self._ended = threading.Event()
        self._append(int(time.time()), days)
        self._write_snapshot()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _append(self, now: int, days: int = 0) -> None:
        for resolution in self._done:
            end = now // resolution * resolution
            first = self._done[resolution] or end - days * 86400
            times = np.arange(first, end, resolution, dtype=np.int64)
            self._done[resolution] = end
            for asset in ASSETS if len(times) else ():
                steps = self._rng.standard_normal(len(times)) * 3e-4 * (resolution / 60) ** 0.5
                close = self._last[asset] * np.exp(np.cumsum(steps) * (0.1 if days else 1.0))
                bars = Bars(times, close, close, close, close, np.ones(len(times)), resolution)
                self.store.append(asset, "walk", resolution, bars)

    def _write_snapshot(self) -> None:
        neurons = {
            one.ss58_address: Neuron(uid=uid, stake=1e6, validator_permit=True, ip="")
            for uid, one in enumerate(VALIDATORS)
        }
        Snapshot(netuid=50, block=1, taken_at=time.time(), neurons=neurons).write(self.metagraph)

    def _follow(self) -> None:
        while not self._ended.wait(3):
            if not self.prices_away:
                self._append(int(time.time()))
            if not self.chain_away:
                self._write_snapshot()
            elif self.metagraph.stat().st_size > 100:
                self.metagraph.write_bytes(self.metagraph.read_bytes()[:100])


class Load:
    """Asks at a fixed rate, whether answers come or not."""

    def __init__(self, port: int, checks: ProcessPoolExecutor) -> None:
        self.port = port
        self.phase = "whole"
        self._checks = checks
        self._number = itertools.count()

    def drive(self, seconds: float, rate: float) -> list[Outcome]:
        """Ask for as long; return when every prompt has an outcome."""
        begin, rng, events = time.monotonic(), np.random.default_rng(1), []
        for grid, an_hour in AN_HOUR.items():
            count = round(len(VALIDATORS) * an_hour * rate * seconds / 3600)
            events += [(when, grid) for when in rng.uniform(0, seconds, count)]
        outcomes = []
        with ThreadPoolExecutor(400) as pool:
            for when, grid in sorted(events):
                time.sleep(max(0.0, begin + when - time.monotonic()))
                outcomes.append(pool.submit(self._ask, grid, next(self._number)))
            return [one.result() for one in outcomes]

    def _ask(self, grid: tuple[int, int], number: int) -> Outcome:
        phase, validator, asset = self.phase, VALIDATORS[number % 5], list(ASSETS)[number // 5 % 5]
        uuid, nonce, begin = f"{number % 5}-{number // 5 % 60}", time.time_ns(), time.perf_counter()
        now = nonce / 1e9
        start = math.ceil(now / 60) * 60 + EXTRA_SECONDS[grid]
        start += 60 if start - now < SHORTEST_SECONDS else 0
        patience = start - now
        prompt = Prompt(asset=asset, start_time=start, time_length=grid[0], time_increment=grid[1])
        status, reason, content, encoding = 0, "", b"", ""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        try:
            connection.request("POST", "/Simulation", *self._request(prompt, validator, nonce, uuid, patience))
            answer = connection.getresponse()
            content = answer.read()
            status, encoding = answer.status, answer.getheader("content-encoding", "")
        except (OSError, http.client.HTTPException) as error:
            reason = f"{type(error).__name__} {error}"[:90]
        finally:
            connection.close()
        seconds = time.perf_counter() - begin
        verdict = None
        if status == 200:
            verdict = self._checks.submit(check, content, encoding, prompt, number % 50 == 0)
        elif status:
            reason = content.decode(errors="replace")[:70]
            if status == 503 and "prompts are being answered" in reason:
                reason = "busy"
        return Outcome(grid, phase, status, seconds, patience - seconds, reason, verdict)

    def _request(
        self, prompt: Prompt, validator: Keypair, nonce: int, uuid: str, patience: float
    ) -> tuple[bytes, dict[str, str]]:
        caller, receiver = validator.ss58_address, MINER.ss58_address
        signature = validator.sign(f"{nonce}.{caller}.{receiver}.{uuid}.{EMPTY}".encode()).hex()
        headers = {
            "name": "Simulation",
            "timeout": f"{patience:.3f}",
            "bt_header_axon_ip": "127.0.0.1",
            "bt_header_axon_port": str(self.port),
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
            "accept-encoding": "gzip, deflate",
        }
        asked = {"asset": prompt.asset, "start_time": datetime.fromtimestamp(prompt.start_time, UTC).isoformat()}
        asked |= {"time_increment": prompt.time_increment, "time_length": prompt.time_length, "num_simulations": 1000}
        synapse = {"name": "Simulation", "simulation_input": asked, "simulation_output": None}
        return json.dumps(synapse).encode(), headers


def replicas_of(driver: int) -> list[int]:
    """Process ids of the replicas that descend from ``driver``."""
    parents, titles = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            pid = int(folder.name)
            parents[pid] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            titles[pid] = (folder / "cmdline").read_text()

    def descends(pid: int) -> bool:
        while pid in parents and pid != driver:
            pid = parents[pid]
        return pid == driver

    return [pid for pid, title in titles.items() if title.startswith("ray::ServeReplica") and descends(pid)]


def break_things(world: World, load: Load, server: Server, then: str, seconds: float, told: list[str]) -> None:
    """Break and mend, one after the other; what was really done goes to ``told``."""

    def until(share: float) -> None:
        time.sleep(max(0.0, begin + share * seconds - time.monotonic()))

    begin = time.monotonic()
    until(PRICES_AWAY[0])
    world.prices_away, load.phase = True, "no prices"
    until(PRICES_AWAY[1])
    world.prices_away, load.phase = False, "whole"
    until(KILL)
    victims = replicas_of(server.process.pid)
    load.phase = "replica killed"
    for pid in victims[:1]:
        os.kill(pid, signal.SIGKILL)
    told.append(f"killed {len(victims[:1])} of {len(victims)} replicas")
    until(ROLL_OUT)
    told.append(f"{len(replicas_of(server.process.pid))} replicas {(ROLL_OUT - KILL) * seconds:.0f} s later")
    load.phase, asked = "roll-out", time.monotonic()
    told.append(f"{server.roll_out(then)} after {time.monotonic() - asked:.0f} s")
    time.sleep(SETTLED_SECONDS)
    load.phase = "whole, new"
    until(CHAIN_AWAY[0])
    world.chain_away, load.phase = True, "no chain"
    until(CHAIN_AWAY[1])
    world.chain_away, load.phase = False, "whole, new"


class Server:
    """``load_serve.py`` in a process of its own, until closed."""

    def __init__(self, folder: Path, model: str, replicas: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as one:
            self.port = one.getsockname()[1]
        command = [sys.executable, str(Path(__file__).with_name("load_serve.py")), str(folder), model, str(self.port)]
        self.process = subprocess.Popen(
            [*command, str(replicas), MINER.ss58_address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        self._answer("serving")

    def roll_out(self, model: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{model}\n")
        self.process.stdin.flush()
        return self._answer("rolled out", "not rolled out")

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(120)

    def _answer(self, *starts: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:  # Ray writes there too
            if line.startswith(starts):
                return line.strip()
        raise RuntimeError(f"load_serve.py ended with {self.process.wait()}")


def report(title: str, outcomes: list[Outcome], seconds: float) -> None:
    """Print what became of the prompts, what is wrong first; waits for the checks."""
    invalid = Counter(verdict(one) for one in outcomes if one.verdict)
    num_checked = sum(invalid.values())
    invalid.pop(None, None)
    done = sum(one.status == 200 and one.margin >= 0 for one in outcomes)
    missed = sum(one.status == 0 or one.margin < 0 for one in outcomes)
    refused = Counter((one.phase, one.status, one.reason) for one in outcomes if one.status != 200)
    print(f"{title}: {len(outcomes)} prompts, load {os.getloadavg()[0]:.1f}, {os.cpu_count()} CPUs")
    print(f"  in time {done} ({done / seconds:.2f} a second), refused {len(outcomes) - done - missed}, ", end="")
    print(f"late or lost {missed}; checked {num_checked}, invalid {sum(invalid.values())}")
    for what, count in [*invalid.most_common(9), *refused.most_common(20)]:
        print(f"    {count} x {what}")
    print(f"  {'':22} asked    200   4xx   5xx  none   p50    p95    p99    max s   least margin s")
    for grid, name in ((DAY, "24 h"), (HOUR, "1 h")):
        for phase in dict.fromkeys(one.phase for one in outcomes):
            _row(f"{name}, {phase}", [one for one in outcomes if one.grid == grid and one.phase == phase])
    sys.stdout.flush()


def verdict(outcome: Outcome) -> str | None:
    """Why an answer is invalid, or what broke its check."""
    assert outcome.verdict is not None
    try:
        return outcome.verdict.result()
    except Exception as error:  # noqa: BLE001 (an answer that was not checked counts as invalid, whatever the reason)
        return f"not checked: {type(error).__name__} {error}"


def _row(name: str, some: list[Outcome]) -> None:
    answered = [one for one in some if one.status == 200]
    kinds = [len(answered), *(sum(one.status // 100 == kind for one in some) for kind in (4, 5, 0))]
    line = f"  {name:22} {len(some):5} " + " ".join(f"{kind:5}" if n else f"{kind:6}" for n, kind in enumerate(kinds))
    if answered:
        quantiles = np.percentile([one.seconds for one in answered], [50, 95, 99, 100])
        line += " ".join(f"{value:6.2f}" for value in quantiles) + f" {min(one.margin for one in answered):12.1f}"
    print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of the load while things break")
    parser.add_argument("--rate", type=float, default=60.0, help="times the network's rate")
    parser.add_argument("--steps", default="60,120,180", help="rates to try first, 20 seconds each; may be empty")
    parser.add_argument("--model", default="fhs", help="bundle or baseline")
    parser.add_argument("--then", help="what is rolled out; by default a bundle of the baseline ewma")
    parser.add_argument("--replicas", type=int, default=2)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        world = World(folder)
        stack.callback(world.close)
        if options.then is None:
            baseline("ewma").save(folder / "bundle")
        context = multiprocessing.get_context("spawn")  # a fork would inherit the locks of other threads
        checks = stack.enter_context(ProcessPoolExecutor(1, context, os.nice, (5,)))
        server = Server(folder, options.model, options.replicas)
        stack.callback(server.close)
        load = Load(server.port, checks)
        for rate in (float(step) for step in options.steps.split(",") if step):
            report(f"{rate:g} times", load.drive(20, rate), 20)
        if options.minutes > 0:
            seconds, told = 60 * options.minutes, list[str]()
            then = options.then or str(folder / "bundle")
            breaker = threading.Thread(target=break_things, args=(world, load, server, then, seconds, told))
            breaker.start()
            outcomes = load.drive(seconds, options.rate)
            cost = time.process_time()
            breaker.join()
            report(f"{options.rate:g} times for {options.minutes:g} min, {'; '.join(told)}", outcomes, seconds)
            print(f"  processor time of the clients, steps included: {cost:.0f} s")
        checks.shutdown()
        answers = [event for event in read_lines(folder / "state" / LEDGER / ANSWERS).events if event["sent"]]
        who = Counter((one["bundle"][:12], one["fallback"] or "model") for one in answers)
        print(f"  in the ledger, steps included: {dict(who)}")
        children = os.times()
        print(f"  processor time of the checks: {children.children_user + children.children_system:.0f} s")


if __name__ == "__main__":
    main()
