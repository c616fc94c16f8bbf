"""Whether a machine is set up for a miner, and, while one runs, what of it can be reached from outside."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from synthcity.errors import SynthcityError
from synthcity.market.venues.binance import VENUE
from synthcity.serve.admission.metagraph import Metagraph
from synthcity.serve.admission.presence import miner_at
from synthcity.serve.build import load_model
from synthcity.serve.challengers.places import open_place
from synthcity.serve.ingress.front import most_connections
from synthcity.serve.ingress.outside import Listener, descendants, listeners, outer_addresses, reachable
from synthcity.serve.mining import MiningConfig, hotkey_address
from synthcity.serve.preflight import Check, CheckState, check_address, check_clock
from synthcity.settings import Settings

_LITTLE_BYTES, _NO_BYTES = 10 << 30, 1 << 30
_FEW_CONNECTIONS = 4_000


def check_set_up(config: MiningConfig) -> list[Check]:
    """Check wallet, bundles, clock, disks, limits, published address, and the ports as others see them.

    Nothing is started, written or sent but a request for the time.
    """
    found = [
        _hotkey(config),
        *_models(config),
        *_watched(config),
        check_clock(Settings.load().venue_urls.get(VENUE.name, VENUE.url)),
    ]
    folders = {Path(config.store): "prices", Path(config.state): "answers and nonces"}
    found += [_disk(folder, use) for folder, use in folders.items()]
    found += [_files(), _published(config)]
    miner = miner_at(Path(config.state))
    where = config.cluster
    if miner is None:
        found.append(check_address(where.host, where.port, config.publish))
        text = f"no miner runs with {config.state}; check again while one does, since only then its ports can be tried"
        return [*found, Check(name="outside", state=CheckState.WARNING, text=text)]
    return [*found, check_outside(where.port, listeners(descendants(miner)), outer_addresses())]


def check_outside(
    port: int,
    found: Sequence[Listener],
    addresses: Sequence[str],
    is_open: Callable[[str, int], bool] = reachable,
) -> Check:
    """Whether of our ports the public one answers at this machine's addresses, and no other."""

    def told(state: CheckState, text: str) -> Check:
        return Check(name="outside", state=state, text=text)

    if not addresses:
        return told(CheckState.WARNING, "this machine has no address but the loopback's; nobody can reach it")
    programs = {one.port: one.program for one in found}
    open_ports = {one: [address for address in addresses if is_open(address, one)] for one in programs}
    beside = [
        f"{one} ({programs[one]}) at {', '.join(reached)}"
        for one, reached in open_ports.items()
        if reached and one != port
    ]
    if beside:
        return told(
            CheckState.FAILED,
            f"can be reached from outside: {'; '.join(beside)}; `synthcity mine firewall --port {port}` closes them",
        )
    if not open_ports.get(port):
        text = f"port {port} does not answer at {', '.join(addresses)}; open it in the firewall, or listen at 0.0.0.0"
        return told(CheckState.FAILED, text)
    return told(CheckState.OK, f"of {len(programs)} ports {port} alone answers at {', '.join(open_ports[port])}")


def _hotkey(config: MiningConfig) -> Check:
    try:
        address = hotkey_address(config.wallet, config.hotkey, needs_wallet=config.publish is not None)
    except SynthcityError as error:
        return Check(name="hotkey", state=CheckState.FAILED, text=str(error))
    return Check(name="hotkey", state=CheckState.OK, text=address)


def _models(config: MiningConfig) -> list[Check]:
    found = []
    for role, name in (("model", config.model), ("challenger", config.challenger)):
        if name is not None:
            try:
                model, origin = load_model(name, trust_code=config.trust_code)
                found.append(Check(name=role, state=CheckState.OK, text=f"{model.name}, {origin}"))
            except SynthcityError as error:
                found.append(Check(name=role, state=CheckState.FAILED, text=str(error)))
    return found


def _watched(config: MiningConfig) -> list[Check]:
    """What the place holds whose bundles are to race; nothing is taken from it."""
    if config.watch is None:
        return []
    try:
        place = open_place(config.watch, Path(config.state))
        newest = next(place.bundles(), None)
    except SynthcityError as error:
        return [Check(name="watch", state=CheckState.FAILED, text=str(error))]
    if newest is None:
        return [Check(name="watch", state=CheckState.WARNING, text=f"no bundle lies in {place.name} yet")]
    return [Check(name="watch", state=CheckState.OK, text=f"the newest bundle of {place.name} is {newest.name}")]


def _disk(folder: Path, use: str) -> Check:
    standing = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(standing).free
    state = CheckState.FAILED if free < _NO_BYTES else CheckState.WARNING if free < _LITTLE_BYTES else CheckState.OK
    return Check(name="disk", state=state, text=f"{free / (1 << 30):.1f} GiB are free for {use} at {folder}")


def _files() -> Check:
    most = most_connections()
    text = f"the limit of open files allows HAProxy {most} connections"
    if most >= _FEW_CONNECTIONS:
        return Check(name="files", state=CheckState.OK, text=text)
    return Check(name="files", state=CheckState.WARNING, text=f"{text}, which one caller fills; raise `ulimit -Hn`")


def _published(config: MiningConfig) -> Check:
    """Held against the last snapshot of the chain, which knows addresses and no ports."""

    def told(state: CheckState, text: str) -> Check:
        return Check(name="published", state=state, text=text)

    path = Path(config.metagraph or Path(config.state) / "metagraph.json")
    snapshot = Metagraph(path).snapshot
    if snapshot is None:
        return told(CheckState.WARNING, f"{path} holds no snapshot of the chain yet; a running miner writes one")
    try:
        neuron = snapshot.neurons.get(hotkey_address(config.wallet, config.hotkey))
    except SynthcityError:
        return told(CheckState.WARNING, "without the hotkey nobody knows what it has published")
    if neuron is None:
        return told(
            CheckState.FAILED, f"the hotkey is not registered on subnet {snapshot.netuid}, block {snapshot.block}"
        )
    if config.publish is None:
        return told(CheckState.OK, f"validators know {neuron.ip}; nothing new would be published")
    wanted = config.publish.rpartition(":")[0].strip("[]")
    if neuron.ip == wanted:
        return told(CheckState.OK, f"validators know {neuron.ip}")
    return told(CheckState.WARNING, f"validators know {neuron.ip} until a miner has published {wanted}")
