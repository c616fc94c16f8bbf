"""From a signed prompt to a score, all of it on this machine: what ``synthcity mine rehearse`` does.

The miner is the real one, behind HAProxy and on Ray Serve. Prices, chain and validator are stand-ins; the keys are
made for the occasion and kept in memory. Once the answers are given the stand-in's clock is set ahead, so that the
prices that settle them are there. Everything lies in a temporary folder that goes at the end.
"""

from __future__ import annotations

import contextlib
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bittensor_wallet import Keypair

from synthcity.durations import DAY
from synthcity.errors import ConfigError, Fatal
from synthcity.forecast.bundles.suitability import facts_of
from synthcity.market.download import download
from synthcity.market.simulated import SimulatedConfig
from synthcity.market.store import PriceStore, open_store
from synthcity.market.times import format_duration
from synthcity.market.venues.http import Patience
from synthcity.market.venues.official import known_venues, official_source
from synthcity.private import environment
from synthcity.serve.admission.metagraph import Neuron, Snapshot
from synthcity.serve.answering.answer_ledger import LEDGER, Fallback
from synthcity.serve.deployment import ClusterConfig
from synthcity.serve.miner import Miner
from synthcity.serve.mining import MiningConfig, mining
from synthcity.serve.operations.report import read_report
from synthcity.serve.rehearsal.validator import ask
from synthcity.serve.rehearsal.venue import StandIn, series, venue
from synthcity.serve.settlement.settle import read_scores, settle
from synthcity.settings import Settings
from synthcity.sn50.competitions import get_rules
from synthcity.sn50.prompt import Prompt

MARK = "REHEARSAL"
_PAST_DAYS, _AHEAD_DAYS = 70, 3
_STORED_UNTIL_SECONDS = 600
"""The store ends so long ago; what follows the miner has to fetch."""

_HASTE = Patience(pause_seconds=0.0)
_LOOK_SECONDS = 30.0  # each look asks one replica


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """What one prompt brought.

    Attributes:
        competition: that it belongs to.
        seconds: until the last byte of the answer.
        fallback: why the fallback answered and not the model; None if it did.
        total: the network's score of the answer, basis points.
    """

    competition: str
    prompt: Prompt
    seconds: float
    fallback: str | None
    total: float


def rehearse(
    model: str,
    *,
    assets: Sequence[str] = (),
    trust_code: bool = False,
    seed: int = 0,
    tell: Callable[[str], None] = print,
) -> list[Rehearsed]:
    """Let a miner answer one prompt of each competition of ``assets``, settle the answers, and leave nothing behind.

    Args:
        model: folder of a bundle, or the name of a baseline; one that was trained on a simulated market may rehearse.
        assets: to ask for; none: those that the bundle was made for, BTC for a baseline.
        seed: of the simulated market.
        tell: takes a line for each step.

    Raises:
        SynthcityError: whatever keeps the miner from starting.
        Fatal: a prompt was not answered, or an answer would be refused by the network.
    """
    assets = assets or tuple(dict.fromkeys(name for fact in facts_of(model) for name in fact.assets)) or ("BTC",)
    prompts, steps = _prompts(assets), _Steps(tell)
    steps.tell("begin", f"{model}; prices, chain and validator are made up, nothing leaves this machine or stays on it")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="synthcity-rehearsal-")))
        config = _market(seed)
        stand_in = stack.enter_context(venue(config))
        stack.enter_context(environment(_own(stand_in)))
        steps.tell("prices", f"a simulated market of {', '.join(assets)} at {stand_in.url}; nothing outside is asked")
        store = open_store(folder / "store")
        _fill(store, config, assets)
        miner, validator = _key(), _key()
        _register(folder / "metagraph.json", miner, validator)
        steps.tell("chain", f"a snapshot of our own: hotkey {miner.ss58_address}, one validator")
        where = ClusterConfig(host="127.0.0.1", port=_free_port(), metrics_port=0)
        mined = MiningConfig(
            model=model,
            store=str(folder / "store"),
            assets=tuple(assets),
            cluster=where,
            state=str(folder / "state"),
            hotkey=miner.ss58_address,
            metagraph=str(folder / "metagraph.json"),
            trust_code=trust_code,
            rehearsal=True,
        )
        with mining(mined, tell=lambda line: steps.tell("miner", line)) as running:
            seconds = _ask_all(f"http://127.0.0.1:{where.port}", validator, miner, prompts, steps)
            _look(running, len(prompts) + 1, folder / "state", steps)
        steps.tell("miner", "ended")
        later = _go_on(stand_in, store, assets, prompts)
        steps.tell("time", f"the stand-in's clock is {format_duration(round(later - time.time()))} ahead")
        done = settle(folder / "state" / LEDGER, store, later)
        for problem in done.problems:
            steps.tell("settle", problem)
        return _scores(folder / "state" / LEDGER, prompts, seconds, steps)


class _Steps:
    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self._begin = tell, time.monotonic()

    def tell(self, step: str, text: str) -> None:
        self._tell(f"{MARK} {time.monotonic() - self._begin:6.1f} s  {step:<10}{text}")


def _market(seed: int) -> SimulatedConfig:
    first = datetime.now(UTC).date() - timedelta(days=_PAST_DAYS)
    return SimulatedConfig(seed=seed, start=first.isoformat(), days=_PAST_DAYS + 1 + _AHEAD_DAYS)


def _own(stand_in: StandIn) -> dict[str, str | None]:
    """Settings for the time of a rehearsal: no venue, cluster or webhook but its own."""
    urls: dict[str, str | None] = {one.setting: stand_in.url for one in known_venues()}
    return urls | {"RAY_ADDRESS": None, "SYNTHCITY_ALARM_WEBHOOK": ""}


def _fill(store: PriceStore, config: SimulatedConfig, assets: Sequence[str]) -> None:
    """Store what a miner has collected so far, as the stand-in would have told it."""
    end = int(time.time()) - _STORED_UNTIL_SECONDS
    for asset in assets:
        name = official_source(asset, Settings.load()).venue
        for resolution in (60, 300):
            bars = series(config, asset, resolution)
            store.append(asset, name, resolution, bars.until(end))


def _key() -> Keypair:
    return Keypair.create_from_mnemonic(Keypair.generate_mnemonic())


def _register(path: Path, miner: Keypair, validator: Keypair) -> None:
    neurons = {
        miner.ss58_address: Neuron(uid=0, stake=0.0, validator_permit=False, ip="127.0.0.1"),
        validator.ss58_address: Neuron(uid=1, stake=1e6, validator_permit=True, ip="127.0.0.1"),
    }
    Snapshot(netuid=50, block=0, taken_at=time.time(), neurons=neurons).write(path)


def _prompts(assets: Sequence[str]) -> dict[str, Prompt]:
    """One prompt of each competition in which one of ``assets`` is asked for, by its name; they start when asked.

    Raises:
        ConfigError: there is none.
    """
    found = {}
    for competition in get_rules().competitions.values():
        for asset in [name for name in assets if name in competition.assets][:1]:
            found[competition.name] = Prompt(
                asset=asset,
                start_time=0,
                time_length=competition.time_length,
                time_increment=competition.time_increment,
            )
    if not found:
        raise ConfigError(f"no competition asks for {', '.join(assets)}; name other --assets")
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _ask_all(
    url: str, validator: Keypair, miner: Keypair, prompts: dict[str, Prompt], steps: _Steps
) -> dict[str, float]:
    seconds = {}
    for name, prompt in prompts.items():
        prompts[name] = asked = replace(prompt, start_time=int(time.time()) // 60 * 60 + 120)
        reply = ask(url, validator, miner.ss58_address, asked)
        what = f"{name}: {asked.num_simulations} paths of {asked.asset} over {format_duration(asked.time_length)}"
        if reply.refused is not None:
            raise Fatal(f"{what}: the network would refuse the answer, {reply.refused}")
        seconds[name] = reply.seconds
        size = f"{reply.num_bytes / 1e6:.1f} MB"
        steps.tell("prompt", f"{what}, signed; answered in {1000 * reply.seconds:.0f} ms, {size}, valid by its rules")
    stranger = ask(url, validator, miner.ss58_address, next(iter(prompts.values())), signed=False)
    if stranger.status != 401:
        raise Fatal(f"a prompt with a forged signature got status {stranger.status} instead of 401")
    steps.tell("stranger", "a prompt with a forged signature is refused (401)")
    return seconds


def _look(running: Miner, num_asked: int, state: Path, steps: _Steps) -> None:
    """Let the miner look at itself until all replicas have told, and read what it tells others."""
    ended = time.monotonic() + _LOOK_SECONDS
    while True:
        status = running.look().facts.status
        answered, refused = sum(status.answered.values()), sum(status.refused.values())
        if answered + refused >= num_asked or time.monotonic() > ended:
            break
        time.sleep(0.5)
    report = read_report(state)
    steps.tell("status", f"{report.verdict}; {answered} answered, {refused} refused; metrics at {report.metrics}")


def _go_on(stand_in: StandIn, store: PriceStore, assets: Sequence[str], prompts: dict[str, Prompt]) -> float:
    """Set the stand-in's clock behind the end of all prompts, fetch what happened until then, and return that time."""
    end = max(prompt.start_time + prompt.time_length for prompt in prompts.values())
    later = end + 300.0
    ahead = later - time.time()
    stand_in.set_ahead(ahead)
    settings = Settings.load()
    for asset in assets:
        source = official_source(asset, settings, patience=_HASTE, clock=lambda: time.time() + ahead)
        download(store, source, asset, 60, int(time.time()) // DAY * DAY, int(later))
    return later


def _scores(folder: Path, prompts: dict[str, Prompt], seconds: dict[str, float], steps: _Steps) -> list[Rehearsed]:
    scores = read_scores(folder)
    found = []
    for row in scores.to_dict("records"):
        name = str(row["competition"])
        one = Rehearsed(
            competition=name,
            prompt=prompts[name],
            seconds=seconds[name],
            fallback=None if row["fallback"] is None else str(row["fallback"]),
            total=float(row["total"]),
        )
        found.append(one)
        by = _answered_by(one.fallback)
        steps.tell("score", f"{name} {one.prompt.asset}: {one.total:.1f} basis points{by}; simulated, worth nothing")
    lacking = [name for name in prompts if name not in {one.competition for one in found}]
    if lacking:
        raise Fatal(f"the answers of {', '.join(lacking)} were not settled, see above")
    steps.tell("end", "all prompts were answered and settled; docs/mining.md leads from here to real ones")
    return found


def _answered_by(fallback: str | None) -> str:
    if fallback is None:
        return ""
    why = "since the model was not made for such prompts" if fallback == Fallback.FOREIGN else f"since: {fallback}"
    return f", by the fallback, {why}"
