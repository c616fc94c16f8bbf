"""What the market answers, read into records; a row that is damaged hides no other.

Amounts come as numbers or as texts. Fields that nobody needs are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from pydantic import BaseModel, ConfigDict, ValidationError

from synthcity import strict_json
from synthcity.rent import gpus
from synthcity.rent.config import Kind
from synthcity.rent.offers import Offer
from synthcity.rent.rental import parse_ssh

_MOST_USD = Decimal(1_000_000)  # whatever is told beyond counts as this, which is too dear and breaks no sum
_LONGEST = 1_000  # characters of a text; names have 64 at most


class Undecodable(ValueError):
    """An answer is something else than what was asked for."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A rental as a list of the market shows it.

    Attributes:
        hourly: USD an hour; None where the market does not know it any more.
        billed: USD so far; None where the market does not know.
        created: Unix seconds by the market's clock; None where it does not tell.
        ssh: how to reach it; empty until it runs.
    """

    kind: Kind
    name: str
    id: str
    status: str = ""
    gpu: str = ""
    hourly: Decimal | None = None
    billed: Decimal | None = None
    created: float | None = None
    is_spot: bool = False
    ssh: str = ""


@dataclass(frozen=True, kw_only=True)
class Started:
    """What the market says of a machine that it has started."""

    name: str
    id: str
    hourly: Decimal


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


class _Offered(_Loose):
    id: str
    gpu_type: str | dict[str, str] = ""
    gpu_count: int = 0
    hourly_rate_per_gpu: str | None = None
    hourly_rate: str | None = None
    availability: bool = False
    is_spot: bool = False
    vcpu_count: int = 0
    system_memory_gb: int = 0
    region: str = ""


class _Start(_Loose):
    name: str
    rental_id: str
    hourly_cost: str


class _Key(_Loose):
    id: str
    name: str = ""
    public_key: str


def read_offers(body: bytes, kind: Kind) -> list[Offer]:
    """Read a list of offers; those without a price are left out.

    Raises:
        Undecodable: it is none.
    """
    found = []
    for row in _rows(body, "nodes"):
        try:
            told = _Offered.model_validate(row)
        except ValidationError:
            continue
        offer = _offer(told, kind)
        found += [] if offer is None else [offer]
    return found


def _offer(told: _Offered, kind: Kind) -> Offer | None:
    """A machine's price is that of one GPU times their number, or what a machine without one costs."""
    rate = amount(told.hourly_rate_per_gpu if kind == "gpu" else told.hourly_rate)
    if rate is None or (kind == "gpu" and told.gpu_count < 1):
        return None
    name = told.gpu_type if isinstance(told.gpu_type, str) else next(iter(told.gpu_type.values()), "")
    count = told.gpu_count if kind == "gpu" else 0
    return Offer(
        id=told.id,
        kind=kind,
        gpu=gpus.normalise(name) if count else "",
        gpu_count=count,
        hourly=rate * max(count, 1),
        is_available=told.availability,
        is_spot=told.is_spot,
        cpus=told.vcpu_count,
        memory_gb=told.system_memory_gb,
        region=told.region,
    )


def read_rentals(body: bytes, kind: Kind) -> tuple[list[Listed], bool]:
    """Read a list of rentals, and whether it is the whole one.

    A row that tells neither a name nor an id is left out, and the list is not whole then.

    Raises:
        Undecodable: it is none.
    """
    rows = list(_rows(body, "rentals"))
    found = [listed for row in rows if (listed := _listed(row, kind)) is not None]
    total = amount(_object(body).get("total_count"))
    is_whole = len(found) == len(rows) and (total is None or total <= len(rows))
    return found, is_whole


def _listed(row: object, kind: Kind) -> Listed | None:
    if not isinstance(row, dict):
        return None
    text = {name: value for name, value in row.items() if isinstance(value, str) and _is_plain(value)}
    if not text.get("name") and not text.get("rental_id"):
        return None
    hourly, command, host = amount(row.get("hourly_cost")), text.get("ssh_command", ""), text.get("ip_address", "")
    if host and parse_ssh(command) is None:
        command = f"ssh ubuntu@{host}"
    return Listed(
        kind=kind,
        name=text.get("name", ""),
        id=text.get("rental_id", ""),
        status=text.get("status", ""),
        gpu=gpus.normalise(text.get("gpu_type", "")),
        hourly=hourly if hourly else None,  # 0 is told of a machine whose offering is gone
        billed=amount(row.get("accumulated_cost")),
        created=instant(row.get("created_at")),
        is_spot=row.get("is_spot") is True,
        ssh=command,
    )


def read_start(body: bytes) -> Started:
    """Read what became of a request to start a machine.

    Raises:
        Undecodable: it does not tell what started, or at what price.
    """
    try:
        told = _Start.model_validate(_object(body))
    except ValidationError as error:
        raise Undecodable("what was started cannot be told") from error
    hourly = amount(told.hourly_cost)
    if not hourly:  # nothing costs nothing; a list will tell
        raise Undecodable("the price of what was started cannot be told")
    if not _is_plain(told.rental_id):
        raise Undecodable("the id of what was started cannot be told")
    return Started(name=told.name, id=told.rental_id, hourly=hourly)


def read_key(body: bytes) -> tuple[str, str, str] | None:
    """Read the id, name and text of the account's SSH key; None where it has none.

    Raises:
        Undecodable: it is neither.
    """
    if _json(body) is None:
        return None
    try:
        told = _Key.model_validate(_object(body))
    except ValidationError as error:
        raise Undecodable("the SSH key cannot be told") from error
    return told.id, told.name, told.public_key


def amount(value: object) -> Decimal | None:
    """Return a finite amount that is not negative, at most a million; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return min(found, _MOST_USD) if found.is_finite() and found >= 0 else None


def instant(value: object) -> float | None:
    """Return the Unix seconds of an ISO time, which is UTC where it does not say; None for anything else."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if found is None:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _is_plain(text: str) -> bool:
    """Whether a text can be written, shown and asked for: half a character or a page of it would stop whoever does."""
    return len(text) <= _LONGEST and text.isprintable()


def _json(body: bytes) -> object:
    try:
        found: object = strict_json.loads(body)
    except ValueError as error:
        raise Undecodable("it is no JSON") from error
    return found


def _object(body: bytes) -> dict[str, object]:
    found = _json(body)
    if not isinstance(found, dict):
        raise Undecodable("it is no object")
    return found


def _rows(body: bytes, name: str) -> Iterable[object]:
    rows = _object(body).get(name)
    if not isinstance(rows, list):
        raise Undecodable(f"it has no list of {name}")
    return rows
