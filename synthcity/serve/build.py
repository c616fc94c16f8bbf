"""From a bundle and a store to a running service: what a replica holds, warmed up."""

from __future__ import annotations

import functools
import logging
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bittensor_wallet import Keypair
from fastapi import FastAPI

from synthcity.errors import ConfigError, SynthcityError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.choose import choose, identify
from synthcity.forecast.bundles.suitability import doubts, facts_of, is_simulated, refuse_useless
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.quantise import Quantised
from synthcity.market.store import open_store
from synthcity.market.venues.official import official_venue
from synthcity.schema import key, local_path
from synthcity.serve.admission.admission import Admission, AdmissionConfig
from synthcity.serve.admission.metagraph import Metagraph
from synthcity.serve.admission.nonces import Nonces
from synthcity.serve.admission.question import QuestionConfig
from synthcity.serve.answering.answer_ledger import LEDGER, AnswerLedger
from synthcity.serve.answering.answer_recorder import AnswerRecorder
from synthcity.serve.answering.engine import Engine, EngineConfig
from synthcity.serve.answering.ledger_quota import Quota
from synthcity.serve.answering.live_prices import LivePrices, LivePricesConfig
from synthcity.serve.answering.prices import Prices, StorePrices
from synthcity.serve.answering.service import Service
from synthcity.serve.answering.shadow import Shadow
from synthcity.serve.answering.tally import Tally
from synthcity.serve.http.app import build_app
from synthcity.serve.http.axon import Axon
from synthcity.sn50.prompt import Prompt

FALLBACK = "fhs"
NONCES = "nonces.sqlite"
STORE = "store"
_NICE = 10
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServeConfig:
    """What to serve and to whom. Plain data, so that it reaches a replica unchanged.

    Attributes:
        model: folder of a bundle, or the name of a baseline.
        store: folder of the prices.
        state: folder for what must survive a restart: nonces and the ledger of answers.
        as_of: "now", or "store": people are answered as of the last price that the store holds of an asset.
        live_assets: follow the venues for these assets; empty: the store is filled by someone else.
        hotkey: our own ss58 address; with it validators may ask at ``/Simulation``.
        metagraph: file with the snapshot of the chain; needed with ``hotkey``.
        rest: whether people and tools may ask, without a name.
        challenger: a bundle or baseline that answers validators' prompts in the shadow.
        trust_code: run what a language model wrote, where a bundle holds such code.
        ledger_gb: what the ledger of answers may take, in 10**9 bytes; what comes beyond is not recorded.
        max_in_flight: prompts that a replica works on or holds; more are refused, those of whoever has most.
        max_per_caller: prompts of one validator that a replica has in hand, and as many again that it still has to
            record; more are refused.
        max_rest: questions of people that a replica works on or holds, on a thread behind all others.
        engine, admission: see there.
    """

    model: str = key(parse=local_path)
    store: str = key(parse=local_path)
    state: str = key("state", parse=local_path)
    as_of: str = key("now", choices=("now", STORE))
    live_assets: tuple[str, ...] = ()
    hotkey: str | None = None
    metagraph: str | None = key(None, parse=local_path)
    rest: bool = True
    challenger: str | None = key(None, parse=local_path)
    trust_code: bool = False
    ledger_gb: float = key(20.0, low=0.01, high=1e6)
    max_in_flight: int = key(256, low=1, high=100_000)
    max_per_caller: int = key(16, low=1, high=100_000)
    max_rest: int = key(4, low=1, high=100_000)
    engine: EngineConfig = field(default_factory=EngineConfig)
    admission: AdmissionConfig = field(default_factory=AdmissionConfig)

    def __post_init__(self) -> None:
        if (self.hotkey is None) != (self.metagraph is None):
            raise ConfigError("validators are admitted by our hotkey and a metagraph file: name both or neither")
        if self.hotkey is None and not self.rest:
            raise ConfigError("neither validators nor people may ask: name a hotkey, or allow REST")
        if self.as_of == STORE and (self.live_assets or self.hotkey is not None):
            raise ConfigError(
                "as of the store's last price nobody is answered live; leave out as_of, or live and hotkey"
            )


def load_model(name: str, *, trust_code: bool = False) -> tuple[Forecaster, str]:
    """Return the forecaster called ``name`` and what it is, as ``identify`` says; raises as ``choose``."""
    return choose(name, trust_code=trust_code, quantised=True), identify(name)


@dataclass(frozen=True, kw_only=True)
class Running:
    """What answers validators, what answers people, if they may ask, and the application in front of both."""

    service: Service
    people: Service | None
    app: FastAPI


@functools.cache
def running(config: ServeConfig) -> Running:
    """Return the one service of this process, under Ray."""
    return build(config)


def build(config: ServeConfig) -> Running:
    """Load all that answers prompts, and answer one of each kind to warm up.

    Raises:
        SynthcityError: the bundle, the store or the folder for the state is unusable.
    """
    model, origin = load_model(config.model, trust_code=config.trust_code)
    prices, feed = _prices(config)
    engine = Engine(model, Quantised(baseline(FALLBACK)), prices, config.engine)
    metrics = Tally()
    folder = Path(config.state) / LEDGER
    recorder = AnswerRecorder(AnswerLedger(folder), metrics, quota=Quota(folder, round(config.ledger_gb * 1e9)))
    shadow = _shadow(config, engine, recorder)
    service = Service(
        engine,
        metrics,
        recorder,
        bundle=origin,
        shadow=shadow,
        max_in_flight=config.max_in_flight,
        max_per_caller=config.max_per_caller,
    )
    people = _for_people(config, service) if config.rest else None
    moment = functools.partial(_last, prices) if config.as_of == STORE else _now
    for prompt in _examples(config, prices, moment):
        for problem in engine.warm_up([prompt], moment(prompt.asset)):
            _log.warning("not ready: %s", problem)
    about = {"model": model.name, "bundle": origin, "fallback": engine.fallback.name, "live": bool(feed)}
    about |= _provenance(config)
    if people is not None:
        people.moment = moment
        service.watched = lambda: people.engine.unanswered
    nonces, axon = None, None
    if config.hotkey is not None and config.metagraph is not None:
        nonces, registry = Nonces(Path(config.state) / NONCES), Metagraph(config.metagraph)
        service.watched = functools.partial(_problem, nonces, registry, people)
        axon = Axon(service, Admission(config.hotkey, registry, nonces, config.admission))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if feed is not None:
            feed.start()
        yield
        if feed is not None:
            feed.stop()
        if shadow is not None:
            shadow.close()
        engine.close()
        if people is not None:
            people.engine.close()
        recorder.close()
        if nonces is not None:
            nonces.close()

    app = build_app(service, axon=axon, people=people, about=about, lifespan=lifespan)
    return Running(service=service, people=people, app=app)


def _provenance(config: ServeConfig) -> dict[str, object]:
    """What ``/models`` tells of where the model comes from; what is doubtful goes to the log as well."""
    told = doubts(config.model)
    for doubt in told:
        _log.warning("%s", doubt)
    facts = facts_of(config.model)
    return {"simulated": is_simulated(facts), "facts": [str(one) for one in facts], "warnings": told}


def _for_people(config: ServeConfig, service: Service) -> Service:
    """What answers people: the same forecasters and counts, on threads that leave the CPU to validators."""
    shared = service.engine
    limits = replace(config.engine, num_threads=1, most_waiting=config.max_rest, niceness=_NICE)
    engine = Engine(shared.model, shared.fallback, shared.prices, limits)
    return Service(engine, service.metrics, service.recorder, bundle=service.bundle, max_in_flight=config.max_rest)


def _problem(nonces: Nonces, registry: Metagraph, people: Service | None) -> str | None:
    """What is wrong with what admits validators, and why people are refused."""
    unknown = "everybody is refused" if registry.snapshot is None else "the last snapshot stays in force"
    chain = registry.problem and f"{registry.problem}; {unknown}"
    unanswered = None if people is None else people.engine.unanswered
    return "; ".join(filter(None, (nonces.problem, chain, unanswered))) or None


def _now(_: str) -> float:
    return time.time()


def _last(prices: Prices, asset: str) -> float:
    """When the last price of ``asset`` was observed; now, where there is none."""
    now = time.time()
    try:
        age = prices.age(asset, now)
    except SynthcityError:  # whoever asks is told by the answer
        return now
    return now - age if math.isfinite(age) else now


def _shadow(config: ServeConfig, engine: Engine, recorder: AnswerRecorder) -> Shadow | None:
    if config.challenger is None:
        return None
    model, bundle = load_model(config.challenger, trust_code=config.trust_code)
    wait = config.engine.longest_wait_seconds
    return Shadow(model, bundle, engine.fallback, recorder, longest_wait_seconds=wait)


def _prices(config: ServeConfig) -> tuple[Prices, LivePrices | None]:
    store = open_store(config.store)
    if config.live_assets:
        feed = LivePrices(store, LivePricesConfig(assets=config.live_assets))
        return feed, feed
    prices = StorePrices(store)
    _ = prices.assets  # an empty store is refused before anything starts
    return prices, None


def _examples(config: ServeConfig, prices: Prices, moment: Callable[[str], float]) -> list[Prompt]:
    """One prompt of each asset and grid."""
    assets = prices.assets if isinstance(prices, StorePrices) else config.live_assets
    bounds = QuestionConfig()
    return [
        Prompt(
            asset=asset,
            start_time=int(moment(asset)) // 60 * 60 + 60,
            time_length=length,
            time_increment=increment,
        )
        for asset in assets
        if asset in bounds.assets
        for length, increment in sorted(bounds.grids)
    ]


def check(config: ServeConfig) -> None:
    """Find out before anything starts what would keep a replica from starting.

    Raises:
        SynthcityError: as ``build``.
    """
    model, origin = load_model(config.model, trust_code=config.trust_code)
    challenger = config.challenger
    if challenger is not None and load_model(challenger, trust_code=config.trust_code)[1] == origin:
        raise ConfigError(f"the challenger {challenger} is the champion itself; name another bundle")
    for asset in config.live_assets:
        official_venue(asset)
    refuse_useless(config.model, model, config.live_assets or StorePrices(open_store(config.store)).assets)
    AnswerLedger(Path(config.state) / LEDGER).close()
    if config.hotkey is not None:
        try:
            Keypair(ss58_address=config.hotkey)
        except ValueError as error:
            raise ConfigError(f"{config.hotkey!r} is no ss58 address of a hotkey: {error}") from error
        Nonces(Path(config.state) / NONCES).close()
