"""What a cluster file means for the market: who rents, whether it can, what it may cost, and an end to all of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from synthcity import strict_json
from synthcity.cluster.folder import Folder, find_up, folder_of
from synthcity.cluster.joining.ssh import known_key, public_key
from synthcity.cluster.machines.rented import WAITING
from synthcity.cluster.plan import Plan
from synthcity.errors import ConfigError, RunError
from synthcity.rent import (
    LEDGER,
    Lessor,
    Limits,
    Market,
    NodeType,
    NoOffer,
    Offer,
    Rental,
    bounded,
    check_market,
    choose,
    read_ledger,
    require_reaper,
    written_usd,
)
from synthcity.settings import Settings
from synthcity.vault.opening import open_vault


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """What a kind of node would be now: the best offer, or why there is none."""

    node_type: NodeType
    offer: Offer | None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Nodes of a kind that are asked for in vain, and why."""

    kind: str
    count: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is rented at one moment, by the cluster's ledger; amounts are in USD and the most that they may be.

    Attributes:
        hourly: of all that is there, or may be.
        spent: in the cluster's life.
        rentals: what is not gone.
        wanted: what the market does not have.
    """

    hourly: Decimal
    spent: Decimal
    limits: Limits
    rentals: tuple[Rental, ...]
    wanted: tuple[Wanted, ...]


def bounds(plan: Plan, settings: Settings) -> list[str]:
    """Return in a sentence each where the environment allows less than a plan.

    Raises:
        ConfigError: it allows none of the GPUs of a kind.
    """
    told = []
    for one in plan.node_types:
        within = bounded(one, settings)
        if within.max_hourly_rate != one.max_hourly_rate:
            told.append(
                f"{one.name}: at most {written_usd(within.max_hourly_rate)} USD an hour for a machine and not "
                f"{written_usd(one.max_hourly_rate)}, by BASILICA_MAX_HOURLY_RATE"
            )
        if within.gpus != one.gpus:
            told.append(f"{one.name}: {', '.join(within.gpus)} alone, by BASILICA_ALLOWED_GPU_TYPES")
    return told


def open_lessor(plan: Plan, folder: Folder, settings: Settings, market: Market) -> Lessor:
    """Return what rents for a cluster.

    Raises:
        ConfigError: the environment allows none of the GPUs, or there is no OpenSSH.
        RunError: another process rents for the cluster, or its ledger cannot be written.
    """
    assert plan.limits is not None
    return Lessor(
        plan.name,
        plan.node_types,
        plan.limits,
        market=market,
        ledger=folder.path / LEDGER,
        public_key=public_key(folder),
        settings=settings,
    )


def check_renting(plan: Plan, folder: Folder, settings: Settings, *, is_dry: bool) -> list[Prospect]:
    """Find out all that can be known before anything is rented, and return what each kind of node would be now.

    Where it ``is_dry`` nothing stays of that, neither an SSH key, here or at the market, nor a ledger.

    Raises:
        ConfigError: the token, its scopes, a GPU's name, the clock or the vault's keys are wrong, or
            machines of this name are rented that the ledger does not know.
        RentError: the market does not answer.
        VaultError: runs cannot be kept where ``storage`` says.
        RunError: the cluster is up, or another process rents for it.
    """
    assert plan.limits is not None
    folder.check_down()
    node_types, ledger = [bounded(one, settings) for one in plan.node_types], folder.path / LEDGER
    with Market.of(settings) as market:
        open_vault(plan.storage or "", settings).check()
        check_market(plan.name, node_types, read_ledger(ledger).rentals, market, ledger=ledger)
        found = [_prospect(one, plan.limits, market) for one in node_types]
        if is_dry:
            market.find_key(known_key(folder))
        else:
            with open_lessor(plan, folder, settings, market) as lessor:
                lessor.introduce()
    return found


def _prospect(node_type: NodeType, limits: Limits, market: Market) -> Prospect:
    node_type = replace(node_type, max_hourly_rate=min(node_type.max_hourly_rate, limits.hourly))
    try:
        offer = choose(market.offers(node_type.kind), node_type, node_type.max_hourly_rate)
    except NoOffer as error:
        return Prospect(node_type=node_type, offer=None, why=str(error))
    return Prospect(node_type=node_type, offer=offer)


def check_spend(plan: Plan, folder: Folder) -> None:
    """Raise ConfigError where a cluster has cost all that it may."""
    assert plan.limits is not None
    spent, most = standing(plan, folder, time.time()).spent, plan.limits.spend
    if spent >= most:
        raise ConfigError(
            f"the cluster {plan.name} has cost {spent:.2f} USD of the {written_usd(most)} that limits.spend allows in "
            "its life; raise that, or choose another name"
        )


def check_reaper(plan: Plan, settings: Settings, heartbeat: Path | None) -> None:
    """Raise ConfigError where no reaper ends what this machine cannot; without ``heartbeat`` none is asked for."""
    if heartbeat is not None:
        lease = max(one.max_lease for one in plan.node_types)
        require_reaper(heartbeat, settings.basilica_api_url, lease, time.time())


def end_rentals(folder: Folder, settings: Settings) -> None:
    """End all that is rented for a cluster, and return once lists have lacked it for two minutes.

    Raises:
        ConfigError: there is no token.
        RentError: something may still be there after ten minutes.
        RunError: another process rents for the cluster.
    """
    nothing = Limits(hourly=Decimal(1), spend=Decimal(1))
    with Lessor(
        folder.path.name,
        (),
        nothing,
        market=Market.of(settings),
        ledger=folder.path / LEDGER,
        public_key="",
        settings=settings,
    ) as lessor:
        lessor.end_all()


def rented(folder: Folder) -> tuple[Rental, ...]:
    """Return what is rented for a cluster or may be, by its ledger.

    Raises:
        RunError: the ledger cannot be read.
    """
    return tuple(one for one in read_ledger(folder.path / LEDGER).rentals if one.state != "gone")


def may_rent(folder: Folder) -> bool:
    """Whether something may be rented for a cluster, by its plan while it is up, or by its ledger."""
    try:
        is_open = bool(rented(folder))
    except RunError:  # nobody can read what is rented
        is_open = True
    return is_open or (folder.has_plan and folder.plan.is_rented)


def find_to_end(root: Path, name: str | None) -> Folder:
    """Return the cluster to end: one that is up, or one whose head is gone and that was not ended in order.

    Raises:
        ConfigError: there is none, or there are several to choose from.
    """
    try:
        return find_up(root, name)[0]
    except ConfigError as error:
        found = left_over(root)
        if name is None and len(found) > 1:
            raise ConfigError(f"several clusters were not ended; name one of {', '.join(found)}") from None
        if name in found or (name is None and found):
            return folder_of(root, name or found[0])
        if name is not None:
            hint = f"if something may be rented under that name, `synthcity cluster reap --cluster {name}` ends it"
            raise ConfigError(f"{error}; {hint}") from None
        raise


def left_over(root: Path) -> list[str]:
    """Return the names of the clusters whose head is gone, and that were not ended in order."""
    folders = [Folder(path.absolute()) for path in sorted(root.glob("*/"))]
    return [one.path.name for one in folders if one.head is None and (one.has_plan or may_rent(one))]


def standing(plan: Plan, folder: Folder, now: float) -> Standing:
    """Return what is rented for a cluster at ``now``, in Unix seconds, without asking the market.

    Raises:
        RunError: the ledger cannot be read.
    """
    assert plan.limits is not None
    account = read_ledger(folder.path / LEDGER)
    rentals = tuple(one for one in account.rentals if one.state != "gone")
    return Standing(
        hourly=sum((one.worst_hourly for one in rentals), Decimal(0)),
        spent=account.spent + sum((one.cost(now) for one in rentals), Decimal(0)),
        limits=plan.limits,
        rentals=rentals,
        wanted=tuple(_wanted(folder)),
    )


def _wanted(folder: Folder) -> Sequence[Wanted]:
    try:
        rows = strict_json.loads((folder.path / WAITING).read_text(encoding="utf-8"))
        return [Wanted(kind=str(row["kind"]), count=int(row["count"]), why=str(row["why"])) for row in rows]
    except (OSError, ValueError, TypeError, KeyError):  # none, or one that a full disk or a person has spoilt
        return []
