"""What must hold before a miner starts: one check a concern, one sentence each, none of them raises."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING

import httpx

from synthcity.errors import ConfigError, SourceError, SynthcityError
from synthcity.market.times import format_duration
from synthcity.serve.answering.clock import simulate
from synthcity.sn50.competitions import get_rules
from synthcity.sn50.prompt import Prompt

if TYPE_CHECKING:
    from synthcity.forecast.forecaster import Forecaster
    from synthcity.serve.admission.admission import AdmissionConfig
    from synthcity.serve.admission.metagraph import Snapshot
    from synthcity.serve.answering.prices import Prices

FRESH_SECONDS = 180.0
SNAPSHOT_SECONDS = 1800.0
CLOCK_WARNING_SECONDS, CLOCK_FAILURE_SECONDS = 2.0, 5.0


class CheckState(StrEnum):
    """What a check says: go on, go on and mind it, or do not start."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line for the operator."""

    name: str
    state: CheckState
    text: str

    @property
    def line(self) -> str:
        """What is shown of it."""
        return f"{self.state:<8}{self.name:<12}{self.text}"


def check_registration(
    snapshot: Snapshot | None, hotkey: str, now: float, config: AdmissionConfig, *, netuid: int | None = None
) -> Check:
    """Whether validators ask ``hotkey`` on subnet ``netuid``, and how many of them may; ``now`` in unix seconds."""

    def told(state: CheckState, text: str) -> Check:
        return Check(name="chain", state=state, text=text)

    if snapshot is None:
        return told(CheckState.WARNING, "nothing is known of the chain yet: everybody is refused until it answers")
    if netuid not in (None, snapshot.netuid):
        text = f"the snapshot is of subnet {snapshot.netuid}, not of {netuid}; name its --netuid, or another --state"
        return told(CheckState.FAILED, text)
    where = f"subnet {snapshot.netuid}, block {snapshot.block}"
    neuron = snapshot.neurons.get(hotkey)
    if neuron is None:
        return told(CheckState.FAILED, f"hotkey {hotkey} is not registered on {where}; register it with btcli")
    num_askers = sum(n.stake >= config.min_stake and n.validator_permit for n in snapshot.neurons.values())
    text = f"uid {neuron.uid} on {where}; {num_askers} of {len(snapshot.neurons)} hotkeys may ask"
    age = now - snapshot.taken_at
    if age > SNAPSHOT_SECONDS:
        return told(CheckState.WARNING, f"{text}; the snapshot is {format_duration(round(age))} old")
    return told(CheckState.OK if num_askers else CheckState.WARNING, f"{text}; {max(0, round(age))} s old")


def chain_problem(snapshot: Snapshot | None, hotkey: str, now: float, config: AdmissionConfig) -> str | None:
    """What is wrong with our registration, or with what is known of it, while a miner runs; None if nothing is."""
    check = check_registration(snapshot, hotkey, now, config)
    return None if check.state is CheckState.OK else f"the chain: {check.text}"


def check_address(host: str, port: int, published: str | None) -> Check:
    """Whether we can listen at ``host:port``, and whether others can reach the published ``ip:port``."""
    reason = _no_listener(host, port)
    if reason is not None:
        text = f"cannot listen at {host}:{port} ({reason}); end what holds it, or choose another --port"
        return Check(name="address", state=CheckState.FAILED, text=text)
    if published is None:
        text = f"{host}:{port} is free; nothing is published, validators know the address of an earlier run or none"
        return Check(name="address", state=CheckState.WARNING, text=text)
    ip, _, number = published.rpartition(":")
    try:
        is_public = ip_address(ip.strip("[]")).is_global
        if not number.isdecimal() or not 0 < int(number) < 65536:
            raise ValueError("no port")
    except ValueError:
        text = f"{published!r} is no address; write e.g. --publish 203.0.113.7:8091"
        return Check(name="address", state=CheckState.FAILED, text=text)
    if not is_public:
        text = f"{host}:{port} is free; {published} is no public address"
        return Check(name="address", state=CheckState.WARNING, text=text)
    return Check(name="address", state=CheckState.OK, text=f"{host}:{port} is free; {published} will be published")


def check_port(host: str, port: int) -> None:
    """Make sure that HAProxy can listen where it is to.

    Raises:
        ConfigError: the port is taken; names it and how another one is chosen.
    """
    address = check_address(host, port, None)
    if address.state is CheckState.FAILED:
        raise ConfigError(address.text)


def _no_listener(host: str, port: int) -> str | None:
    """Why nothing can listen there; None if it can."""
    try:
        family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
        with socket.socket(family) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
    except (OSError, ValueError, OverflowError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


def check_prices(prices: Prices, assets: Sequence[str], now: float) -> Check:
    """Whether every asset has a price of the last three minutes."""
    ages = {asset: _age(prices, asset, now) for asset in assets}
    stale = {asset: age for asset, age in ages.items() if age > FRESH_SECONDS}
    if not stale:
        worst = max(ages, key=lambda asset: ages[asset])
        return Check(
            name="prices", state=CheckState.OK, text=f"{len(ages)} assets, the oldest {worst}'s: {ages[worst]:.0f} s"
        )
    told = ", ".join(
        f"{asset} none" if math.isinf(age) else f"{asset} {format_duration(round(age))} old"
        for asset, age in stale.items()
    )
    state = CheckState.FAILED if len(stale) == len(ages) else CheckState.WARNING
    return Check(name="prices", state=state, text=f"{told}; prompts are refused once a price is half an hour old")


def check_model(role: str, model: Forecaster, prices: Prices, assets: Sequence[str], now: float) -> Check:
    """Whether ``model`` answers a prompt of each asset and competition; ``role`` names the check."""
    start, failed, num_asked = int(now) // 60 * 60 + 60, {}, 0
    for competition in get_rules().competitions.values():
        for asset in set(competition.assets) & set(assets):
            prompt = Prompt(
                asset=asset,
                start_time=start,
                time_length=competition.time_length,
                time_increment=competition.time_increment,
                num_simulations=100,
            )
            num_asked += 1
            try:
                simulate(model, prices.history(asset, now), prompt, seed=0)
            except Exception as error:  # noqa: BLE001 (a model may fail in any way)
                failed[f"{asset} {competition.name}"] = str(error) or type(error).__name__
    if not failed:
        return Check(name=role, state=CheckState.OK, text=f"{model.name} answers {num_asked} kinds of prompts")
    first = next(iter(failed))
    text = f"{model.name} does not answer {', '.join(failed)}: the fallback will; {first}: {failed[first]}"
    return Check(name=role, state=CheckState.WARNING if len(failed) < num_asked else CheckState.FAILED, text=text)


def clock_offset(url: str, clock: Callable[[], float] = time.time) -> float:
    """How many seconds our clock is ahead of the server's at ``url``, by its header ``Date``, to half a second.

    Raises:
        SourceError: it tells no time.
    """
    try:
        begin = clock()
        answer = httpx.get(url, timeout=10.0)
        middle = (begin + clock()) / 2
        return middle - (parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5)  # it tells whole seconds
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError) as error:
        raise SourceError(
            f"{url} tells no time ({type(error).__name__}); requests are refused if our clock is wrong"
        ) from error


def check_clock(url: str, clock: Callable[[], float] = time.time) -> Check:
    """How far our clock is from the one of the server at ``url``."""
    try:
        offset = clock_offset(url, clock)
    except SourceError as error:
        return Check(name="clock", state=CheckState.WARNING, text=str(error))
    size = max(0.0, abs(offset) - 0.5)
    side = "ahead of" if offset > 0 else "behind"
    if size <= CLOCK_WARNING_SECONDS:
        return Check(name="clock", state=CheckState.OK, text=f"within {max(1, math.ceil(abs(offset)))} s of {url}")
    state = CheckState.FAILED if size > CLOCK_FAILURE_SECONDS else CheckState.WARNING
    return Check(name="clock", state=state, text=f"our clock is {abs(offset):.0f} s {side} {url}; set it (NTP)")


def _age(prices: Prices, asset: str, now: float) -> float:
    try:
        return prices.age(asset, now)
    except SynthcityError:
        return math.inf
