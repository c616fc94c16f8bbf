"""``synthcity mine run`` and ``promote``: a miner from checks to answers, with one command."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from synthcity.forecast.forecaster import Forecaster
    from synthcity.serve.admission.metagraph import Registry
    from synthcity.serve.answering.live_prices import Feed
    from synthcity.serve.build import ServeConfig
    from synthcity.serve.preflight import Check

_LOOK_SECONDS = 1.0
_CHAIN = "the chain's process"
_TRUST = "Run what a language model wrote, where a bundle holds such code."


@click.command()
@click.argument("model", metavar="BUNDLE|BASELINE")
@click.option(
    "--data",
    "store",
    required=True,
    type=click.Path(file_okay=False),
    metavar="STORE",
    help="Price store; live prices are added to it.",
)
@click.option("--assets", metavar="A,B,...", help="Assets.  [default: all that the network asks for]")
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), default=8091, show_default=True)
@click.option("--replicas", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that answer.")
@click.option(
    "--state",
    type=click.Path(file_okay=False),
    default="state",
    show_default=True,
    metavar="FOLDER",
    help="Ledger, nonces, who is champion.",
)
@click.option("--wallet", default="default", show_default=True, envvar="BT_WALLET_NAME", help="Name of the wallet.")
@click.option("--hotkey", default="default", show_default=True, envvar="BT_HOTKEY_NAME", help="Its hotkey, or an SS58.")
@click.option("--network", default="finney", show_default=True, envvar="BT_NETWORK", help="Or test, or an endpoint.")
@click.option("--netuid", type=int, default=50, show_default=True, envvar="BT_NETUID", help="247 on the test network.")
@click.option("--publish", metavar="IP:PORT", help="Where validators reach us; written to the chain.")
@click.option(
    "--metagraph", metavar="FILE", help="Who is registered, kept by another process; the chain is left alone."
)
@click.option("--challenger", metavar="BUNDLE", help="Shadows every prompt; its settled scores decide.")
@click.option("--trust-code", is_flag=True, help=_TRUST)
@click.option("--promote", type=click.Choice(["hand", "auto"]), default="hand", show_default=True)
@click.option("--patience", type=click.FloatRange(min=0), default=90.0, show_default=True, help="Seconds for prices.")
def run(
    model: str,
    store: str,
    assets: str | None,
    host: str,
    port: int,
    replicas: int,
    state: str,
    wallet: str,
    hotkey: str,
    network: str,
    netuid: int,
    publish: str | None,
    metagraph: str | None,
    challenger: str | None,
    trust_code: bool,
    promote: str,
    patience: float,
) -> None:
    """Check everything, answer validators, settle the answers and show how it stands, until Ctrl-C.

    Follows the venues, keeps the chain's snapshot and publishes the address in a process of its own, serves on Ray
    Serve, and settles by the network's rules every five minutes. A check that fails ends it before anything starts.

    \b
    Examples:
      synthcity mine run runs/sweep/winner --data data/store --wallet miner --hotkey default --publish 203.0.113.7:8091
      synthcity mine run runs/a/winner --data data/store --challenger runs/b/winner --promote auto
    """
    from synthcity.cluster import terminable
    from synthcity.errors import ConfigError
    from synthcity.market.store import Store
    from synthcity.serve.admission.metagraph import Registry
    from synthcity.serve.admission.presence import alone
    from synthcity.serve.answering.live_prices import Feed, FeedConfig
    from synthcity.serve.board import Board
    from synthcity.serve.build import LEDGER, ServeConfig, check
    from synthcity.serve.chain.watched import Watched
    from synthcity.serve.deployment import ClusterConfig, serving
    from synthcity.serve.miner import Miner, start_config
    from synthcity.serve.preflight import State, chain_problem
    from synthcity.serve.settlement.settler import Settler
    from synthcity.serve.settlement.succession import begin
    from synthcity.sn50.competitions import get_rules

    names = [asset for competition in get_rules().competitions.values() for asset in competition.assets]
    if assets is not None:
        names = [name.strip() for name in assets.split(",") if name.strip()]
    names = list(dict.fromkeys(names))
    address = _address(wallet, hotkey, needs_wallet=publish is not None)
    snapshot_file = Path(metagraph or Path(state) / "metagraph.json").resolve()
    named = ServeConfig(
        model=_resolved(model),
        store=str(Path(store).resolve()),
        state=str(Path(state).resolve()),
        hotkey=address,
        metagraph=str(snapshot_file),
        rest=False,
        challenger=None if challenger is None else _resolved(challenger),
        trust_code=trust_code,
    )
    with ExitStack() as stack:
        stack.enter_context(terminable())
        stack.enter_context(alone(Path(named.state)))
        config = start_config(named)
        models = _models(config)
        feed = stack.enter_context(Feed(Store(named.store), FeedConfig(assets=tuple(names))))
        registry, asked_at = Registry(snapshot_file), time.time()

        def told() -> bool:
            """Whether the chain has told what it is now: an old snapshot may be from before a registration."""
            known = registry.snapshot
            return known is not None and known.netuid == netuid and (bool(metagraph) or known.taken_at >= asked_at)

        chain = [sys.executable, "-m", "synthcity.serve.chain.bittensor10", "--until-stdin-ends"]
        chain += ["--metagraph", str(snapshot_file), "--network", network, "--netuid", str(netuid)]
        with Watched(_CHAIN, chain) if metagraph is None else nullcontext():
            _wait(patience, lambda: told() and all(feed.age(n, time.time()) <= 180 for n in names))
            checks = _checks(config, models, feed, registry, names, host, port, publish, netuid)
        for one in checks:
            click.echo(f"{one.state:<8}{one.name:<12}{one.text}")
        failed = [one.name for one in checks if one.state is State.FAILED]
        if failed:
            raise ConfigError(f"the miner does not start: {', '.join(failed)} failed, see above")
        check(config)
        deployed = stack.enter_context(serving(config, ClusterConfig(host=host, port=port, replicas=replicas)))
        begin(Path(named.state), named.model, named.challenger)
        chain += ["--publish", publish, "--wallet", wallet, "--hotkey", hotkey] if publish else []
        watched = None if metagraph else stack.enter_context(Watched(_CHAIN, chain))
        settler = Settler(Path(named.state) / LEDGER, Store(named.store), lambda: miner.race())
        miner = Miner(
            named,
            deployed,
            feed,
            settler,
            assets=names,
            auto_promote=promote == "auto",
            watched=lambda: (
                (watched and watched.problem) or chain_problem(registry.snapshot, address, time.time(), named.admission)
            ),
        )
        stack.enter_context(settler)
        click.echo(f"mining with {config.model} as {address} at {host}:{port}; Ctrl-C ends it")
        board = stack.enter_context(Board())
        try:
            while True:
                board.show(miner.look())
                time.sleep(_LOOK_SECONDS)
        except KeyboardInterrupt:
            click.echo("ending", err=True)


@click.command()
@click.argument("state", type=click.Path(path_type=Path))
@click.option("--back", is_flag=True, help="Let the bundle answer again that the miner was started with.")
@click.option("--reason", default="by hand", show_default=True, help="Written down beside it.")
@click.option("--trust-code", is_flag=True, help=_TRUST)
def promote(state: Path, back: bool, reason: str, trust_code: bool) -> None:
    """Let the challenger of the miner with the folder STATE answer validators from now on.

    A running miner rolls it out within seconds and without a failed answer; one that is started later begins with it.

    \b
    Examples:
      synthcity mine promote state
      synthcity mine promote state --back
    """
    from synthcity.errors import ConfigError
    from synthcity.serve.build import load_model
    from synthcity.serve.settlement.succession import CHAMPION, Succession

    found = Succession.read(state)
    if found is None:
        raise ConfigError(f"{state} holds no {CHAMPION}; name the --state folder of a miner")
    changed = found.revoked(reason) if back else found.promoted(reason)
    load_model(changed.champion, trust_code=trust_code)
    changed.write(state)
    click.echo(f"champion: {changed.champion}")


def _resolved(name: str) -> str:
    return str(Path(name).resolve()) if Path(name).exists() else name


def _address(wallet: str, hotkey: str, *, needs_wallet: bool) -> str:
    """The ss58 address of a hotkey that is named, or is one itself."""
    from bittensor_wallet import Keypair, Wallet

    from synthcity.errors import ConfigError

    if not needs_wallet:
        try:
            return str(Keypair(ss58_address=hotkey).ss58_address)
        except ValueError:  # a name, then
            pass
    try:
        return str(Wallet(name=wallet, hotkey=hotkey).hotkey.ss58_address)
    except Exception as error:
        raise ConfigError(f"wallet {wallet!r} has no hotkey {hotkey!r} here ({error}); make one with btcli") from error


def _wait(seconds: float, is_ready: Callable[[], bool]) -> None:
    ended, waiting = time.monotonic() + seconds, threading.Event()
    while not is_ready() and time.monotonic() < ended:
        waiting.wait(0.5)


def _models(config: ServeConfig) -> dict[str, Forecaster]:
    """Champion and challenger, loaded before anything starts."""
    from synthcity.serve.build import load_model

    named = {"model": config.model, "challenger": config.challenger}
    return {role: load_model(name, trust_code=config.trust_code)[0] for role, name in named.items() if name is not None}


def _checks(
    config: ServeConfig,
    models: Mapping[str, Forecaster],
    feed: Feed,
    registry: Registry,
    names: Sequence[str],
    host: str,
    port: int,
    publish: str | None,
    netuid: int,
) -> list[Check]:
    from synthcity.serve import preflight
    from synthcity.settings import Settings

    assert config.hotkey is not None
    now = time.time()
    found = [
        preflight.Check(name="hotkey", state=preflight.State.OK, text=config.hotkey),
        preflight.check_registration(registry.snapshot, config.hotkey, now, config.admission, netuid=netuid),
        preflight.check_address(host, port, publish),
        preflight.check_statistics(),
        preflight.check_clock(Settings.load().binance_url),
        preflight.check_prices(feed, names, now),
    ]
    found += [preflight.check_model(role, model, feed, names, now) for role, model in models.items()]
    return found
