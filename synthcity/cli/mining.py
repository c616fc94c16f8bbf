"""``synthcity mine run``, ``check``, ``firewall`` and ``promote``: a miner with one command."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.cli.options import Duration, Finite, LocalPath
from synthcity.durations import DAY
from synthcity.schema import MAX_SEED
from synthcity.settings import Settings

if TYPE_CHECKING:
    from synthcity.serve.mining import MiningConfig

NETUID = click.IntRange(0, 65535)
_TRUST = "Run what a language model wrote, where a bundle holds such code."


def _takes_miner(function: Callable[[MiningConfig], None]) -> Callable[..., None]:
    """Give a command the arguments and options that say what a miner is, and hand them on as one config."""

    @click.argument("model", metavar="BUNDLE|BASELINE")
    @click.option(
        "--data",
        "store",
        required=True,
        type=LocalPath(file_okay=False),
        metavar="STORE",
        help="Price store; live prices are added to it.",
    )
    @click.option("--assets", metavar="A,B,...", help="Assets.  [default: all that the network asks for]")
    @click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen at.")
    @click.option("--port", type=click.IntRange(1, 65535), default=8091, show_default=True)
    @click.option(
        "--replicas", type=click.IntRange(1, 64), help="Processes that answer.  [default: two if memory allows]"
    )
    @click.option(
        "--state",
        type=LocalPath(file_okay=False),
        default="state",
        show_default=True,
        metavar="FOLDER",
        help="Ledger, nonces, who is champion.",
    )
    @click.option("--wallet", default=lambda: Settings.load().bt_wallet_name, show_default="BT_WALLET_NAME, or default")
    @click.option("--hotkey", default=lambda: Settings.load().bt_hotkey_name, show_default="BT_HOTKEY_NAME, or default")
    @click.option("--network", default=lambda: Settings.load().bt_network, show_default="BT_NETWORK, or finney")
    @click.option("--netuid", type=NETUID, default=lambda: Settings.load().bt_netuid, show_default="BT_NETUID, or 50")
    @click.option("--publish", metavar="IP:PORT", help="Where validators reach us; written to the chain.")
    @click.option(
        "--metagraph",
        type=LocalPath(),
        metavar="FILE",
        help="Who is registered, kept by another process; the chain is left alone.",
    )
    @click.option(
        "--challenger", type=LocalPath(), metavar="BUNDLE", help="Shadows every prompt; its settled scores decide."
    )
    @click.option(
        "--watch",
        type=LocalPath(),
        metavar="PLACE",
        help="Folder of bundles, vault: or s3://bucket/prefix; the newest one there is the next challenger.",
    )
    @click.option("--trust-code", is_flag=True, help=_TRUST)
    @click.option("--promote", type=click.Choice(["hand", "auto"]), default="hand", show_default=True)
    @click.option(
        "--metrics-port",
        type=click.IntRange(0, 65535),
        default=9150,
        show_default=True,
        help="Of 127.0.0.1; 0: a free one.",
    )
    @click.option(
        "--ledger-quota",
        type=Finite(0.01, 1e6),
        default=20.0,
        show_default=True,
        metavar="GB",
        help="What the ledger may take; further answers go out unrecorded.",
    )
    @click.option("--patience", type=Duration(0.1, DAY), default="90s", show_default=True, help="For prices and chain.")
    @functools.wraps(function)
    def command(
        model: str,
        store: str,
        assets: str | None,
        host: str,
        port: int,
        replicas: int | None,
        state: str,
        wallet: str,
        hotkey: str,
        network: str,
        netuid: int,
        publish: str | None,
        metagraph: str | None,
        challenger: str | None,
        watch: str | None,
        trust_code: bool,
        promote: str,
        metrics_port: int,
        ledger_quota: float,
        patience: float,
    ) -> None:
        from synthcity.serve.deployment import ClusterConfig
        from synthcity.serve.mining import MiningConfig, all_assets

        names = all_assets()
        if assets is not None:
            names = tuple(dict.fromkeys(name.strip() for name in assets.split(",") if name.strip()))
        config = MiningConfig(
            model=model,
            store=store,
            assets=names,
            cluster=ClusterConfig(host=host, port=port, replicas=replicas, metrics_port=metrics_port),
            state=state,
            wallet=wallet,
            hotkey=hotkey,
            network=network,
            netuid=netuid,
            publish=publish,
            metagraph=metagraph,
            challenger=challenger,
            watch=watch,
            auto_promote=promote == "auto",
            trust_code=trust_code,
            ledger_gb=ledger_quota,
            patience_seconds=patience,
        )
        function(config)

    return command


@click.command()
@_takes_miner
def run(config: MiningConfig) -> None:
    """Check everything, answer validators, settle the answers and show how it stands, until Ctrl-C.

    Follows the venues, keeps the chain's snapshot and publishes the address in a process of its own, serves on Ray
    Serve, and settles by the network's rules every five minutes. A check that fails ends it before anything starts.

    \b
    Examples:
      synthcity mine run runs/sweep/winner --data data/store \\
          --wallet miner --hotkey default --publish 203.0.113.7:8091
      synthcity mine run runs/a/winner --data data/store \\
          --challenger runs/b/winner --promote auto
      synthcity mine run runs/a/winner --data data/store --watch bundles
    """
    from synthcity.serve.mining import run_miner

    run_miner(config, tell=click.echo)


@click.command()
@click.argument("model", metavar="[BUNDLE|BASELINE]", default="fhs")
@click.option("--assets", metavar="A,B,...", help="To ask for.  [default: those of the bundle; BTC for a baseline]")
@click.option("--trust-code", is_flag=True, help=_TRUST)
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True, help="Of the simulated market.")
def rehearse(model: str, assets: str | None, trust_code: bool, seed: int) -> None:
    """Let the real miner answer, settle and score on this machine alone, in about a minute.

    Prices come from a simulated market in a server of its own, the chain is a made-up snapshot, and a made-up validator
    signs one prompt of each competition. Once they are answered the clock of the prices is set ahead, and the answers
    are settled. No key, no account, no network; nothing stays. A bundle that was trained on a simulated market may be
    rehearsed; its scores are worth nothing.

    \b
    Examples:
      synthcity mine rehearse
      synthcity mine rehearse runs/quickstart/winner
    """
    from synthcity.serve.rehearsal.rehearse import rehearse as run_rehearsal

    names = tuple(dict.fromkeys(name.strip() for name in (assets or "").split(",") if name.strip()))
    run_rehearsal(model, assets=names, trust_code=trust_code, seed=seed, tell=click.echo)


@click.command()
@_takes_miner
def check(config: MiningConfig) -> None:
    """Say whether this machine is set up for a miner, and what of a running one can be reached from outside.

    Takes what `synthcity mine run` takes. Checks hotkey, bundles, clock, disks, the limit of open files and what the
    chain knows. While a miner runs with this --state, each of its ports is tried at this machine's own addresses: the
    public one must answer, and no other. Ends with 2 if something failed.

    \b
    Example:
      synthcity mine check runs/sweep/winner --data data/store \\
          --publish 203.0.113.7:8091
    """
    from synthcity.errors import ConfigError
    from synthcity.serve.preflight import CheckState
    from synthcity.serve.set_up import check_set_up

    found = check_set_up(config)
    for one in found:
        click.echo(one.line)
    failed = [one.name for one in found if one.state is CheckState.FAILED]
    if failed:
        raise ConfigError(f"{', '.join(dict.fromkeys(failed))} failed, see above")


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8091, show_default=True, help="What stays open.")
def firewall(port: int) -> None:
    """Print rules for nftables that leave the miner's port open and close what Ray may open beside it.

    \b
    Example:
      synthcity mine firewall --port 8091 | sudo nft -f -
    """
    from synthcity.serve.ingress.firewall import firewall as rules

    click.echo(rules(port), nl=False)


@click.command()
@click.argument("state", type=LocalPath(path_type=Path))
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
    from synthcity.forecast.bundles.suitability import refuse_simulated
    from synthcity.serve.build import load_model
    from synthcity.serve.settlement.succession import CHAMPION, Succession

    found = Succession.read(state)
    if found is None:
        raise ConfigError(f"{state} holds no {CHAMPION}; name the --state folder of a miner")
    changed = found.revoked(reason) if back else found.promoted(reason)
    refuse_simulated(changed.champion)
    load_model(changed.champion, trust_code=trust_code)
    changed.write(state)
    click.echo(f"champion: {changed.champion}")
