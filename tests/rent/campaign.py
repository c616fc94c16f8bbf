"""A lessor through faults and kills: ``python -m tests.rent.campaign [--rentals 1000] [--kills 300]``.

The lessor is a process of its own that asks the stand-in of the market over real HTTP, on a virtual clock. Meanwhile
the market errs in its many ways, and the process is killed outright: at the request that starts, stops or lists, before
or after the market has done it, or at any moment. At every change the stand-in holds fleet and price an hour against
the limits; what is dearer than it may be, or was started twice, has to end within 60 s of the first list that shows
it, counted while a lessor lives. Clusters come one after the other, each until its money is spent or so many rentals;
at the end of each nothing is left, at the market and in the ledger, and it has cost its limit and one round at most.

The same is then done, a tenth of it each, with a ledger that is deleted, torn or cannot grow after every second kill.
"""

from __future__ import annotations

import logging
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

import click

from synthcity.errors import RentError, RunError
from synthcity.rent import Lessor, Limits, Market, NodeType, Patience, read_ledger
from synthcity.rent.lessor import EVERY
from synthcity.settings import Secret, Settings
from tests.rent.builders import PUBLIC_KEY, Virtual
from tests.standins.account import CHAOS
from tests.standins.market import TOKEN, Running, running_market

Harm = Literal["none", "deleted", "torn", "full"]
TYPES = (
    NodeType(name="gpu", gpus=("A100", "RTX A6000"), max_nodes=8, max_hourly_rate=Decimal("1.50"), spot="allow",
             boot=300.0, max_lease=1800.0),
    NodeType(name="cpu", max_nodes=4, max_hourly_rate=Decimal("0.20"), boot=300.0),
)  # fmt: skip
HOURLY, SPEND = Decimal("8.00"), Decimal(6)
RENTALS = 100  # of a cluster, after which the next begins
PATIENCE = Patience(connect=5.0, start=4.0, answer=4.0, first_wait=0.0)  # a busy machine is no fault of the market
DRAINED, BROKEN = 0, 70
LONG = 300.0  # real seconds after which a process that should have ended has failed


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was counted; ``over`` is the most that a cluster has cost above its limit, and may be below 0."""

    rentals: int = 0
    kills: int = 0
    clusters: int = 0
    most_nodes: int = 0
    most_hourly: float = 0.0
    unwanted: int = 0
    longest: float = 0.0
    over: float = -1e9
    faults: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Life:
    """What one process of a lessor is to do; ``grows`` is by how many bytes its ledger may."""

    cluster: str
    ledger: Path
    clock: Path
    seed: int
    spend: Decimal = SPEND
    drains: bool = False
    grows: int | None = None


def live(server: Running, life: Life) -> None:
    """Rent and end at random until killed, or end all and return."""
    logging.disable(logging.CRITICAL)
    if life.grows is not None:
        most = (life.ledger.stat().st_size if life.ledger.exists() else 0) + life.grows
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    rng, clock = random.Random(life.seed), Virtual.reading(server, life.clock)
    market = Market(server.url, Secret(TOKEN), patience=PATIENCE, now=clock.now, sleep=clock.sleep)
    limits = Limits(hourly=HOURLY, spend=life.spend)
    lessor = Lessor(
        life.cluster, TYPES, limits, market=market, ledger=life.ledger, public_key=PUBLIC_KEY, settings=Settings()
    )
    with ThreadPoolExecutor(3) as pool:  # as a provider asks, beside the rounds
        while True:
            with suppress(RentError):
                lessor.reconcile()
            if life.drains and not (lessor.rentals() or lessor.strangers) and lessor._is_listed:
                return
            done = [pool.submit(act, lessor, rng.random(), rng.choice(TYPES).name, life.drains) for _ in range(3)]
            clock.sleep(EVERY)
            for one in done:
                one.result()


def act(lessor: Lessor, draw: float, node_type: str, drains: bool) -> None:
    """Do one thing that a provider may ask for."""
    rentals = [one for one in lessor.rentals() if one.state in ("intent", "rented")]
    with suppress(RentError, RunError):
        if drains:
            for one in rentals:
                lessor.stop(one.name)
        elif draw < 0.4:
            lessor.ask(node_type)
        elif rentals and draw < 0.6:
            lessor.stop(rentals[int(draw * 1000) % len(rentals)].name)
        elif rentals and draw < 0.9:
            lessor.joined(rentals[int(draw * 1000) % len(rentals)].name)


def begin(server: Running, life: Life) -> int:
    """Begin a process of a lessor and return its id; a fork, so that the imports are done."""
    pid = os.fork()
    if pid:
        return pid
    code = BROKEN
    try:
        live(server, life)
        code = DRAINED
    except BaseException:  # noqa: BLE001 - told, and then the process ends whatever it was
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def ended(pid: int, seconds: float) -> int | None:
    """Wait for a process and return its status; None where it lives on."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return status
        time.sleep(0.02)
    return None


def kill(server: Running, pid: int, rng: random.Random) -> None:
    """Have a process killed at a request, or at any moment."""
    kind, after = rng.choice([("start", 3), ("stop", 3), ("list", 12), ("", 0)])
    if kind:
        what = rng.choice(["kill", "kill after"])
        server.set(prey=pid, faults=[{"on": f"^{kind}", "what": what, "after": rng.randint(0, after)}])
    status = ended(pid, LONG / 60 if kind else rng.uniform(0.02, 0.6))
    if status is None:
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), f"a lessor ended by itself with {os.waitstatus_to_exitcode(status)}"
    server.set(prey=0, faults=[])


def harm(ledger: Path, how: Harm, rng: random.Random) -> int | None:
    """Harm a ledger, or say by how many bytes it may grow."""
    if how == "deleted":
        ledger.unlink(missing_ok=True)
    elif how == "torn" and ledger.exists():
        content = bytearray(ledger.read_bytes())
        if content and rng.random() < 0.3:
            content[rng.randrange(len(content))] ^= 1
        ledger.write_bytes(content[: max(0, len(content) - rng.randint(1, 300))])
    elif how == "full":
        return rng.randint(0, 3000)
    return None


def run_cluster(
    server: Running, folder: Path, name: str, rentals: int, kills: int, how: Harm, rng: random.Random, spend: Decimal
) -> tuple[int, float]:
    """Run one cluster to its end; return how often it was killed, and the longest time without a lessor."""
    clock = folder / "clock"
    life = Life(cluster=name, ledger=folder / f"{name}.jsonl", clock=clock, seed=rng.getrandbits(32), spend=spend)
    before, killed, longest = server.state()["count"], 0, 0.0
    while killed < kills:
        pid = begin(server, replace(life, seed=rng.getrandbits(32)))
        kill(server, pid, rng)
        killed += 1
        idle = rng.choice([2.0, 5.0, 5.0, 10.0, 20.0, 120.0 if rng.random() < 0.2 else 1.0])
        longest = max(longest, idle)
        server.advance(idle, idle=True)
        life = replace(life, grows=harm(life.ledger, how, rng) if killed % 2 else None)
    pid = begin(server, replace(life, seed=rng.getrandbits(32), grows=None))
    until = time.monotonic() + LONG + rentals
    while server.state()["count"] - before < rentals and not spent_up(life):
        assert ended(pid, 0.3) is None, "a lessor ended by itself"
        assert time.monotonic() < until, "a lessor rents nothing"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    pid = begin(server, replace(life, seed=rng.getrandbits(32), grows=None, drains=True))
    assert ended(pid, LONG) == DRAINED, "a lessor could not end all"
    return killed, longest


def spent_up(life: Life) -> bool:
    """Whether a ledger tells that the money is spent, but for what buys nothing any more."""
    return read_ledger(life.ledger).spent >= life.spend * Decimal("0.95")


def campaign(
    *, rentals: int, kills: int, how: Harm = "none", seed: int = 0, lag: float = 30.0, spend: Decimal = SPEND
) -> Outcome:
    """Run clusters one after the other, and hold what has to hold."""
    begun, rng = time.monotonic(), random.Random(seed)
    outcome = Outcome()
    with running_market() as server, tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        Virtual(server, folder / "clock")
        limited = how in ("none", "full")  # a ledger that was lost counts only what lists show
        judge = {"caps": {"gpu": 1.5, "cpu": 0.2}, **({"max_nodes": 12, "max_hourly": 8.0} if limited else {})}
        server.set(seed=seed, chaos=CHAOS, lag=lag, judge=judge)
        Market(server.url, Secret(TOKEN)).close()  # so that no fork reads the certificates again
        while outcome.rentals < rentals or outcome.kills < kills:
            name = f"c{outcome.clusters}"
            left = max(1, rentals - outcome.rentals)
            share = min(left, RENTALS)
            killed, idle = run_cluster(
                server, folder, name, share, -(-(kills - outcome.kills) * share // left), how, rng, spend
            )
            state = server.state()
            assert state["living"] == [], f"leaked: {state['living']}"
            assert state["pending"] == 0
            assert state["judge"]["faults"] == [], state["judge"]["faults"][:5]
            account = read_ledger(folder / f"{name}.jsonl")
            assert [one for one in account.rentals if one.state != "gone"] == []
            over = state["spent_by"].get(name, 0.0) - float(spend)
            if how == "none":
                assert over <= 8.0 * (EVERY + idle) / 3600, f"{name} has cost {over:.2f} USD more than it may"
            outcome = replace(
                outcome, rentals=state["count"], kills=outcome.kills + killed, clusters=outcome.clusters + 1,
                most_nodes=state["judge"]["most_nodes"], most_hourly=state["judge"]["most_hourly"],
                unwanted=state["judge"]["unwanted"], longest=state["judge"]["longest"], over=max(outcome.over, over),
                faults=sum(state["drawn"].values()), seconds=time.monotonic() - begun,
            )  # fmt: skip
    return outcome


def told(how: str, outcome: Outcome) -> str:
    """Return one line about an outcome."""
    return (
        f"ledger {how}: {outcome.rentals:,} rentals of {outcome.clusters} clusters, {outcome.kills} kills, "
        f"{outcome.faults:,} faults; 0 leaked, at most {outcome.most_nodes} machines and {outcome.most_hourly:.2f} USD "
        f"an hour; {outcome.unwanted} dearer than they may be or twice there, the longest for {outcome.longest:.0f} s; "
        f"at most {outcome.over:+.2f} USD over the limit of each; {outcome.seconds:.0f} s"
    )


@click.command()
@click.option("--rentals", default=1000, show_default=True)
@click.option("--kills", default=300, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--ledger", "which", type=click.Choice(["none", "deleted", "torn", "full"]), help="Only this.")
@click.option("--spend", type=Decimal, default=SPEND, show_default=True, help="USD that a cluster may cost.")
def main(rentals: int, kills: int, seed: int, which: Harm | None, spend: Decimal) -> None:
    """Run the campaign, and fail where something does not hold."""
    harms: Iterable[Harm] = ("none", "deleted", "torn", "full") if which is None else (which,)
    for how in harms:
        part = 1 if how == "none" or which else 10
        outcome = campaign(rentals=rentals // part, kills=kills // part, how=how, seed=seed, spend=spend)
        click.echo(told("kept" if how == "none" else how, outcome))


if __name__ == "__main__":
    main()
