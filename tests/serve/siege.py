"""Callers that mean ill, at the public door of an axon: HAProxy by our rules, and the application behind it.

``python -m tests.serve.siege KIND PORT COUNT SOURCE`` is one attacker, a process of its own; ``withstand`` tells what a
validator gets meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
from bittensor_wallet import Keypair

from synthcity.forecast.baselines import baseline
from synthcity.serve.admission.admission import Admission
from synthcity.serve.admission.metagraph import Metagraph, Neuron
from synthcity.serve.admission.nonces import Nonces
from synthcity.serve.answering.answer_ledger import AnswerLedger
from synthcity.serve.answering.answer_recorder import AnswerRecorder
from synthcity.serve.answering.engine import Engine
from synthcity.serve.answering.service import Service
from synthcity.serve.answering.tally import Tally
from synthcity.serve.http.app import build_app
from synthcity.serve.http.axon import Axon
from synthcity.serve.ingress.front import own_address
from tests.ports import free_ports
from tests.serve.conftest import MarketPrices
from tests.serve.dialogue import MINER, VALIDATOR, body, headers, market, question, snapshot
from tests.serve.door import make_front, opened
from tests.serve.server import running_app

KINDS = ("idle", "half", "greedy")
GREEDY = Keypair.create_from_uri("//Greedy")
ATTACKER, OTHER = "127.0.0.2", "127.0.0.3"
IDLE = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"
HALF = b"POST /Simulation HTTP/1.1\r\nhost: a\r\nx-half"


def prompt(key: Keypair, uuid: str) -> tuple[dict[str, str], bytes]:
    """One for the next hour, signed now."""
    now = time.time()
    start = datetime.fromtimestamp(int(now) // 60 * 60 + 120, UTC).isoformat()
    asked = question("BTC", 3600, 60, start_time=start, num_simulations=100)
    return headers(now, key=key, uuid=uuid), body(asked)


@contextmanager
def besieged(folder: Path, *, most_connections: int, share: int) -> Iterator[int]:
    """Serve an axon behind its door; yield the public port."""
    engine = Engine(baseline("fhs"), baseline("trailing"), MarketPrices(market(("BTC",), days=15, now=time.time())))
    recorder = AnswerRecorder(AnswerLedger(folder / "ledger"), Tally())
    known = snapshot()
    rich = Neuron(uid=9, stake=1e6, validator_permit=True, ip="10.0.0.9")
    replace(known, neurons={**known.neurons, GREEDY.ss58_address: rich}).write(folder / "metagraph.json")
    nonces = Nonces(folder / "nonces.sqlite")
    service = Service(engine, Tally(), recorder)
    axon = Axon(service, Admission(MINER.ss58_address, Metagraph(folder / "metagraph.json"), nonces))
    inside, (port,) = own_address(), free_ports(1)
    front = make_front(port, inside, most_connections=most_connections, share=share)
    app = build_app(service, axon=axon)
    app.add_api_route("/-/healthz", lambda: "success")  # a replica of Ray has it, and HAProxy asks for it
    try:
        with running_app(app, inside) as root, opened(folder, front, int(root.rpartition(":")[2])):
            yield port
    finally:
        recorder.close()
        engine.close()
        nonces.close()


@dataclass(frozen=True)
class Outcome:
    """What a validator got: statuses, 0 where the connection was refused, and the longest wait in seconds."""

    statuses: list[int]
    longest: float


@contextmanager
def attacking(kind: str, port: int, count: int, source: str = ATTACKER) -> Iterator[None]:
    """An attacker that holds or uses ``count`` connections and opens them again when they are shut."""
    command = [sys.executable, "-m", "tests.serve.siege", kind, str(port), str(count), source]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "all have tried"
            yield
        finally:
            process.kill()


def withstand(port: int, *, num_prompts: int, source: str = OTHER) -> Outcome:
    """Ask as a validator, each time over a connection of its own."""
    statuses, longest = [], 0.0
    for number in range(num_prompts):
        begin = time.monotonic()
        transport = httpx.HTTPTransport(local_address=source)
        with httpx.Client(transport=transport, timeout=60) as client:
            sent, content = prompt(VALIDATOR, f"validator-{number}")
            try:
                statuses.append(
                    client.post(f"http://127.0.0.1:{port}/Simulation", content=content, headers=sent).status_code
                )
            except httpx.TransportError:
                statuses.append(0)
        longest = max(longest, time.monotonic() - begin)
    return Outcome(statuses, longest)


async def _attack(kind: str, port: int, count: int, source: str) -> None:
    tried, waiting = asyncio.Event(), set(range(count))

    async def hold(number: int) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
                try:
                    await (_greedy(reader, writer, number) if kind == "greedy" else _idle(kind, reader, writer, number))
                finally:
                    writer.close()
            done(number)
            await asyncio.sleep(0.2)

    def done(number: int) -> None:
        waiting.discard(number)
        if not waiting:
            tried.set()

    async def _idle(kind: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(IDLE if kind == "idle" else HALF)
        await writer.drain()
        if kind == "idle":
            await reader.read(1)
        done(number)
        while await reader.read(65536):
            pass

    async def _greedy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        while True:
            sent, content = prompt(GREEDY, f"greedy-{number}")
            lines = [f"{name}: {text}" for name, text in (sent | {"content-length": str(len(content))}).items()]
            writer.write("\r\n".join(["POST /Simulation HTTP/1.1", "host: a", *lines, "", ""]).encode() + content)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            done(number)

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(hold(number))
        await tried.wait()
        print("all have tried", flush=True)


def main() -> None:
    kind, port, count, source = sys.argv[1:]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(_attack(kind, int(port), int(count), source))


if __name__ == "__main__":
    main()
