"""100,000 requests, good, damaged and senseless, each with a verdict, then a siege: ``python -m tests.serve.storm``.

Every request is a good one with some of its headers and fields changed, taken away or made up, signed again or not, in
the form of bittensor 10 or 11. What is counted is the status; an exception or a 5xx ends it with the request that did.

Then thousands of idle connections, as many half-open headers and a greedy validator come to the public door, and what
another one gets meanwhile is told.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import string
import sys
import tempfile
from collections import Counter
from pathlib import Path

from starlette.requests import Request

from synthcity.forecast.baselines import baseline
from synthcity.serve.admission.admission import Admission
from synthcity.serve.admission.metagraph import Metagraph
from synthcity.serve.admission.nonces import Nonces
from synthcity.serve.answering.answer_ledger import AnswerLedger
from synthcity.serve.answering.answer_recorder import AnswerRecorder
from synthcity.serve.answering.engine import Engine
from synthcity.serve.answering.service import Service
from synthcity.serve.answering.tally import Tally
from synthcity.serve.deployment import ClusterConfig
from synthcity.serve.http.axon import Axon
from synthcity.serve.ingress.front import most_connections
from tests.serve.admission.test_btauth import signed
from tests.serve.conftest import MarketPrices
from tests.serve.dialogue import (
    LAYMAN,
    MINER,
    NOW,
    POOR,
    STRANGER,
    VALIDATOR,
    body,
    headers,
    market,
    question,
    write_snapshot,
)
from tests.serve.siege import ATTACKER, OTHER, attacking, besieged, withstand

KEYS = [VALIDATOR] * 12 + [STRANGER, POOR, LAYMAN, MINER]
SENSELESS = ["", "0", "-1", "1e400", "nan", "\u0663", "\x01", "9" * 300, "null", "[]", "{", "0x", "a" * 20_000, "BTC"]


def word(rng: random.Random) -> str:
    made_up = "".join(rng.choices(string.printable.replace("\r", "").replace("\n", ""), k=rng.randrange(40)))
    return rng.choice([*SENSELESS, made_up, str(rng.randrange(-(2**70), 2**70)), str(rng.uniform(-1e9, 1e9))])


def value(rng: random.Random, depth: int = 0) -> object:
    simple = [None, True, False, rng.randrange(-10, 2000), 10**30, rng.random(), float("nan"), word(rng)]
    if depth > 3 or rng.random() < 0.7:
        return rng.choice(simple)
    if rng.random() < 0.5:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {word(rng)[:20]: value(rng, depth + 1) for _ in range(rng.randrange(4))}


def request(rng: random.Random, number: int) -> tuple[dict[str, str], bytes]:
    asked = question(num_simulations=2)
    for name in list(asked):
        if rng.random() < 0.06:
            asked[name] = value(rng)
        elif rng.random() < 0.02:
            del asked[name]
    content = body(asked if rng.random() < 0.97 else value(rng))
    if rng.random() < 0.04:
        content = rng.choice([rng.randbytes(rng.randrange(300)), content[: rng.randrange(len(content))], content * 60])
    age = rng.choice([0.0] * 8 + [rng.uniform(-10, 200)]) - number * 1e-6  # nonces rise
    key = rng.choice(KEYS)
    if rng.random() < 0.3:
        sent = signed(key=key, nonce=int((NOW - age) * 1e9) + rng.randrange(1000), content=content)
    else:
        sent = headers(key=key, age=age, uuid=f"u{rng.randrange(50)}")
    sent = {name.lower(): text for name, text in sent.items()}
    for name in list(sent):
        if rng.random() < 0.01:
            sent[name] = word(rng)
        elif rng.random() < 0.005:
            del sent[name]
    return sent, content


async def storm(axon: Axon, recorder: AnswerRecorder, num_requests: int, seed: int) -> Counter[int]:
    rng, statuses = random.Random(seed), Counter[int]()
    for number in range(num_requests):
        while recorder.num_waiting(VALIDATOR.ss58_address) > 8:  # one with more in hand is told to come again
            await asyncio.sleep(0.001)
        sent, content = request(rng, number)
        raw = [(name.encode(), text.encode()) for name, text in sent.items()]
        scope = {"type": "http", "method": "POST", "path": "/Simulation", "query_string": b"", "headers": raw}
        pieces = [content[:100], content[100:]]

        async def receive(pieces: list[bytes] = pieces) -> dict:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

        try:
            answer = await axon(Request(scope, receive))
            status = answer.status_code
        except Exception:
            print(f"request {number} broke it: {json.dumps(sent)} {content!r}", file=sys.stderr)
            raise
        if status >= 500:
            raise SystemExit(f"request {number} got {status} {answer.body!r}: {json.dumps(sent)} {content!r}")
        statuses[status] += 1
    return statuses


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--connections", type=int, default=4096, help="of an attacker")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = Engine(baseline("reference"), baseline("trailing"), MarketPrices(market(("BTC",))))
        recorder = AnswerRecorder(AnswerLedger(folder), Tally())
        service = Service(engine, Tally(), recorder, clock=lambda: NOW)
        nonces = Nonces(folder / "nonces.sqlite")
        axon = Axon(service, Admission(MINER.ss58_address, Metagraph(write_snapshot(folder)), nonces))
        statuses = asyncio.run(storm(axon, recorder, options.requests, options.seed))
        recorder.close()
        engine.close()
    print(f"{sum(statuses.values())} requests: {dict(sorted(statuses.items()))}")
    siege(options.connections)


def siege(num_connections: int) -> None:
    """Tell what a validator gets while each kind of attacker does its worst."""
    share = ClusterConfig().connections_per_source
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as name,
        besieged(Path(name), most_connections=most_connections(), share=share) as port,
    ):
        for kind, count in (("none", 0), ("idle", num_connections), ("half", num_connections), ("greedy", 60)):
            with attacking(kind, port, count) if count else contextlib.nullcontext():
                for where, source in (("another address", OTHER), ("the same address", ATTACKER)):
                    outcome = withstand(port, num_prompts=20, source=source)
                    told = dict(Counter(outcome.statuses))
                    print(f"{kind:>6} x {count:<5} from {where:<16} {told}, at worst {outcome.longest:.2f} s")


if __name__ == "__main__":
    main()
