"""A miner from checks to answers: what has to hold, what runs beside what, and in which order it starts and ends."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bittensor_wallet import Keypair, Wallet

from synthcity.cluster.local import terminable
from synthcity.errors import ConfigError, RunError
from synthcity.forecast.bundles.choose import located
from synthcity.forecast.bundles.suitability import doubts, refuse_simulated, refuse_useless
from synthcity.forecast.forecaster import Forecaster
from synthcity.market.store import open_store
from synthcity.market.store.opening import absolute
from synthcity.market.venues.binance import VENUE
from synthcity.private import private_files, remove_stale
from synthcity.serve.admission.metagraph import Metagraph
from synthcity.serve.admission.presence import alone
from synthcity.serve.answering.answer_ledger import LEDGER
from synthcity.serve.answering.clock import LONGEST_WAIT_SECONDS
from synthcity.serve.answering.live_prices import LivePrices, LivePricesConfig
from synthcity.serve.board import Board
from synthcity.serve.build import ServeConfig, check, load_model
from synthcity.serve.chain.watched import Watched
from synthcity.serve.challengers.watch import Watch
from synthcity.serve.deployment import HAPROXY, ClusterConfig, serving
from synthcity.serve.miner import Miner, start_config
from synthcity.serve.operations.outlets import outlets
from synthcity.serve.operations.prober import Probed, Prober
from synthcity.serve.operations.recording import recorded
from synthcity.serve.preflight import (
    FRESH_SECONDS,
    SNAPSHOT_SECONDS,
    Check,
    CheckState,
    chain_problem,
    check_address,
    check_clock,
    check_model,
    check_prices,
    check_registration,
)
from synthcity.serve.settlement.archive import ARCHIVE, archive
from synthcity.serve.settlement.settler import Settler
from synthcity.serve.settlement.succession import begin
from synthcity.settings import Settings
from synthcity.sn50.competitions import get_rules

_LOOK_SECONDS = 1.0
_RESTART_SECONDS = 5.0
_CHAIN = "the chain's process"


def all_assets() -> tuple[str, ...]:
    """Return all assets that the network asks for today."""
    return tuple(dict.fromkeys(a for one in get_rules().competitions.values() for a in one.assets))


@dataclass(frozen=True, kw_only=True)
class MiningConfig:
    """What a miner answers with, as whom, and where.

    Attributes:
        model: folder of a bundle, or the name of a baseline; ``challenger`` shadows every prompt.
        store: folder of the prices; live ones are added to it.
        assets: to follow and to answer for.
        cluster: where it listens, and with how many replicas.
        state: folder of the ledger, the nonces, the snapshot of the chain, and of who is champion.
        wallet, hotkey: names of Bittensor's; ``hotkey`` may be an ss58 address where nothing is published.
        network, netuid: the chain; 247 is the test network's subnet.
        publish: ``ip:port`` where validators reach us; written to the chain. None: nothing is written.
        metagraph: file of who is registered that another process keeps; the chain is left alone then.
        watch: where bundles turn up that may shadow next, as ``places.open_place`` takes it; None for nowhere.
        auto_promote: let a challenger that has won answer without a hand.
        trust_code: run what a language model wrote, where a bundle holds such code.
        rehearsal: prices are simulated, so a bundle that was trained on such prices may answer.
        ledger_gb: what the ledger of answers may take, in 10**9 bytes.
        patience_seconds: for prices and the chain, before the checks.
    """

    model: str
    store: str
    assets: tuple[str, ...] = field(default_factory=all_assets)
    cluster: ClusterConfig = field(default_factory=lambda: ClusterConfig(host="0.0.0.0"))
    state: str = "state"
    wallet: str = "default"
    hotkey: str = "default"
    network: str = "finney"
    netuid: int = 50
    publish: str | None = None
    metagraph: str | None = None
    challenger: str | None = None
    watch: str | None = None
    auto_promote: bool = False
    trust_code: bool = False
    rehearsal: bool = False
    ledger_gb: float = 20.0
    patience_seconds: float = 90.0

    def __post_init__(self) -> None:
        if self.publish is not None and self.metagraph is not None:
            raise ConfigError(
                f"nothing would publish {self.publish}: with the metagraph file {self.metagraph} the chain is left "
                "alone; leave out one of them"
            )


def run_miner(config: MiningConfig, *, tell: Callable[[str], None] = print) -> None:
    """Check everything, answer validators, settle the answers and show how it stands, until Ctrl-C or SIGTERM.

    Args:
        tell: takes a line for the operator, before the board is there.

    Raises:
        SynthcityError: as ``mining``.
    """
    with mining(config, tell=tell) as miner:
        with Board() as board, contextlib.suppress(KeyboardInterrupt):
            while True:
                board.show(miner.look())
                time.sleep(_LOOK_SECONDS)
        tell("ending")


@contextlib.contextmanager
def mining(config: MiningConfig, *, tell: Callable[[str], None] = print) -> Iterator[Miner]:
    """Check everything, start all that a miner is, and end it with the block; look at it about once a second.

    Raises:
        ConfigError: a check failed, or the wallet has no such hotkey.
        SynthcityError: a bundle, the store or the state is unusable, or the replicas do not start.
    """
    address = hotkey_address(config.wallet, config.hotkey, needs_wallet=config.publish is not None)
    named = _service(config, address)
    with contextlib.ExitStack() as stack:
        stack.enter_context(terminable())
        stack.enter_context(private_files())
        remove_stale(HAPROXY)  # one that a killed miner left would hold the port
        stack.enter_context(alone(Path(named.state)))
        settings = Settings.load()
        told = stack.enter_context(outlets(Path(named.state), config.cluster.metrics_port, settings.alarm_webhook))
        _tidy(Path(named.state) / LEDGER, tell)
        service = start_config(named)
        watch = _watch(config, Path(named.state), lambda: miner.wants_challenger())
        models = _models(service, config, tell)
        feed = stack.enter_context(LivePrices(open_store(named.store), LivePricesConfig(assets=config.assets)))
        assert named.metagraph is not None
        registry = Metagraph(named.metagraph)
        with contextlib.nullcontext() if config.metagraph else Watched(_CHAIN, _chain(config, named.metagraph)):
            _await_news(config, address, registry, feed)
            checks = _checks(config, service, models, feed, registry)
        for one in checks:
            tell(one.line)
        failed = [one.name for one in checks if one.state is CheckState.FAILED]
        if failed:
            raise ConfigError(f"the miner does not start: {', '.join(failed)} failed, see above")
        check(service)
        deployed = stack.enter_context(serving(service, config.cluster))
        begin(Path(named.state), named.model, named.challenger)
        chain = _chain(config, named.metagraph, publishes=True)
        watched = None if config.metagraph else stack.enter_context(Watched(_CHAIN, chain))

        def problems() -> dict[str, str | None]:
            ended = watched and watched.problem
            chain = ended or chain_problem(registry.snapshot, address, time.time(), named.admission)
            return {"chain": chain, "webhook": told.problem(), "watch": watch.problem if watch else None}

        probed = Probed(
            state=Path(named.state),
            ledger=Path(named.state) / LEDGER,
            ledger_quota=round(named.ledger_gb * 1e9),
            hotkey=address,
            published=config.publish,
            clock_url=settings.venue_urls.get(VENUE.name, VENUE.url),
            calendar=open_store(named.store).calendar,
            snapshot=lambda: registry.snapshot,
        )
        prober = stack.enter_context(Prober(probed))
        settler = Settler(Path(named.state) / LEDGER, open_store(named.store), lambda: miner.race())
        miner = Miner(
            named,
            deployed,
            feed,
            settler,
            assets=config.assets,
            auto_promote=config.auto_promote,
            watched=problems,
            admit=lambda name: _admit(name, config),
            surroundings=lambda: prober.latest,
            recording=lambda: recorded(feed.health()),
            show=told.show,
        )
        stack.enter_context(settler)
        if watch is not None:
            stack.enter_context(watch)
        tell(f"metrics at {told.metrics}; `synthcity mine status {config.state}` tells how it stands")
        tell(f"mining with {service.model} as {address} at {config.cluster.host}:{config.cluster.port}; Ctrl-C ends it")
        yield miner


def _watch(config: MiningConfig, state: Path, wants: Callable[[], bool]) -> Watch | None:
    """What offers the bundles of ``config.watch``; a place that cannot be is told before anything starts."""
    if config.watch is None:
        return None
    return Watch(config.watch, state, wants, lambda name: _admit(name, config), trust_code=config.trust_code)


def hotkey_address(wallet: str, hotkey: str, *, needs_wallet: bool = False) -> str:
    """Return the ss58 address of a hotkey that is named, or is one itself.

    Args:
        needs_wallet: the key itself is needed, so that an address alone does not do.

    Raises:
        ConfigError: there is no such wallet here.
    """
    if not needs_wallet:
        with contextlib.suppress(ValueError):  # a name, then
            return str(Keypair(ss58_address=hotkey).ss58_address)
    try:
        return str(Wallet(name=wallet, hotkey=hotkey).hotkey.ss58_address)
    except Exception as error:
        raise ConfigError(f"wallet {wallet!r} has no hotkey {hotkey!r} here ({error}); make one with btcli") from error


def _service(config: MiningConfig, address: str) -> ServeConfig:
    """What the replicas are told; folders from the root on, since they run elsewhere."""
    return ServeConfig(
        model=located(config.model),
        store=absolute(config.store),
        state=str(Path(config.state).resolve()),
        hotkey=address,
        metagraph=str(Path(config.metagraph or Path(config.state) / "metagraph.json").resolve()),
        rest=False,
        challenger=None if config.challenger is None else located(config.challenger),
        trust_code=config.trust_code,
        ledger_gb=config.ledger_gb,
    )


def _chain(config: MiningConfig, metagraph: str, *, publishes: bool = False) -> list[str]:
    """The command of the process that speaks to the chain; nothing is published by a start that fails."""
    command = [sys.executable, "-m", "synthcity.serve.chain", "--until-stdin-ends"]
    command += ["--metagraph", metagraph, "--network", config.network, "--netuid", str(config.netuid)]
    if publishes and config.publish:
        command += ["--publish", config.publish, "--wallet", config.wallet, "--hotkey", config.hotkey]
    return command


def _await_news(config: MiningConfig, hotkey: str, registry: Metagraph, feed: LivePrices) -> None:
    """Wait until prices are fresh and the chain has told what it is now, or patience ends.

    What a restart finds is enough soon: a snapshot of the last half hour that knows us, and prices that prompts may be
    answered from.
    """
    began, asked_at, waiting = time.monotonic(), time.time(), threading.Event()
    while (waited := time.monotonic() - began) < config.patience_seconds:
        oldest = max(feed.age(asset, time.time()) for asset in config.assets)
        known, told = _knows(config, hotkey, registry, asked_at)
        if told and oldest <= FRESH_SECONDS:
            return
        if known and oldest <= LONGEST_WAIT_SECONDS and waited >= _RESTART_SECONDS:
            return
        waiting.wait(0.5)


def _knows(config: MiningConfig, hotkey: str, registry: Metagraph, asked_at: float) -> tuple[bool, bool]:
    """Whether the snapshot will do, and whether it is of now: an old one may be from before a registration."""
    snapshot = registry.snapshot
    if snapshot is None or snapshot.netuid != config.netuid:
        return False, False
    if config.metagraph is not None or snapshot.taken_at >= asked_at:
        return True, True
    return hotkey in snapshot.neurons and asked_at - snapshot.taken_at < SNAPSHOT_SECONDS, False


def _tidy(ledger: Path, tell: Callable[[str], None]) -> None:
    """Put old lines of the ledger away before anybody answers; a disk that refuses costs space alone."""
    try:
        num_away = archive(ledger, time.time())
    except RunError as error:
        tell(f"{CheckState.WARNING:<8}{'ledger':<12}{error}")
    else:
        if num_away:
            text = f"{num_away} answers that were settled long ago are in {ledger / ARCHIVE}"
            tell(f"{CheckState.OK:<8}{'ledger':<12}{text}")


def _models(service: ServeConfig, config: MiningConfig, tell: Callable[[str], None]) -> dict[str, Forecaster]:
    """Champion and challenger, loaded before anything starts; those that nobody could be paid for are refused."""
    named = {"model": service.model, "challenger": service.challenger}
    found = {}
    for role, name in named.items():
        if name is not None:
            found[role] = _admit(name, config)
            for doubt in doubts(name):
                tell(f"{CheckState.WARNING:<8}{role:<12}{doubt}")
    return found


def _admit(name: str, config: MiningConfig) -> Forecaster:
    """Load what is to answer or to shadow.

    Raises:
        SynthcityError: nobody could be paid for it, or it cannot be loaded.
    """
    if not config.rehearsal:
        refuse_simulated(name)
    found = load_model(name, trust_code=config.trust_code)[0]
    refuse_useless(name, found, config.assets)
    return found


def _checks(
    config: MiningConfig, service: ServeConfig, models: Mapping[str, Forecaster], feed: LivePrices, registry: Metagraph
) -> list[Check]:
    assert service.hotkey is not None
    now = time.time()
    found = [
        Check(name="hotkey", state=CheckState.OK, text=service.hotkey),
        check_registration(registry.snapshot, service.hotkey, now, service.admission, netuid=config.netuid),
        check_address(config.cluster.host, config.cluster.port, config.publish),
        check_clock(Settings.load().venue_urls.get(VENUE.name, VENUE.url)),
        check_prices(feed, config.assets, now),
    ]
    return found + [check_model(role, model, feed, config.assets, now) for role, model in models.items()]
