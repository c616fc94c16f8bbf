"""What a pipeline's journal tells, one kind of event a class; all that is known of a pipeline follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from synthcity.errors import ConfigError, RunError
from synthcity.market.periods import Periods
from synthcity.schema import build, key, plain

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The pipeline began; ``world`` is empty, or says that all is a rehearsal."""

    competitions: tuple[str, ...]
    world: str = ""
    version: int = key(VERSION, low=1, high=VERSION)


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """A process took the pipeline up again."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Nothing can be done before ``until`` (unix s)."""

    until: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Began:
    """A round began: on which prices it is, held to which ``level`` at its ``look``, and whom it has to beat.

    ``rival`` is the folder of the champion's bundle, empty where a baseline answers.
    """

    round: int
    competition: str
    periods: Periods
    assets: tuple[str, ...]
    look: int = key(low=1)
    level: float = key(low=0.0, high=1.0)
    rival: str = ""


@dataclass(frozen=True, kw_only=True)
class Researched:
    """Inputs were looked for on prices before the round's test; ``folder`` holds that, empty where it could not be.

    ``usd`` is what a language model was paid for it.
    """

    round: int
    sentence: str
    folder: str = ""
    seconds: float = 0.0
    usd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What an attempt of a round searches with: ``settings`` over its sweep file, ``by`` whom and why."""

    round: int
    attempt: int
    by: str
    reason: str
    settings: tuple[str, ...]
    fingerprint: str
    temperature: float = key(0.0, low=0.0, high=1.0)
    usd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Searched:
    """An attempt's search is over; ``run`` is its folder below the pipeline's."""

    round: int
    attempt: int
    run: str
    sentence: str
    seconds: float = 0.0
    usd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Failed:
    """An attempt came to nothing; another plan may cure that, unless it ``looked`` at the test period."""

    round: int
    attempt: int
    reason: str
    looked: bool = False
    seconds: float = 0.0
    usd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Troubled:
    """A step met trouble that passes; it is tried again from ``until`` (unix s) on."""

    step: str
    reason: str
    until: float = 0.0


@dataclass(frozen=True, kw_only=True)
class LeadTold:
    """A lead in percent, minus is better, with the bounds of its interval; None where too few days made one."""

    mean: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The publisher's gate and the level of the look have spoken; ``reason`` is why not, where it did not pass.

    ``on_trial``: it did not, and leads surely enough to race in the shadow without a claim.
    """

    round: int
    passed: bool
    reason: str
    bundle: str = ""
    on_trial: bool = False
    leads: Mapping[str, LeadTold] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Published:
    """The run is on the Hub, or on its stand-in."""

    round: int
    where: str
    commit: str
    bundle: str


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """The miner with the folder ``state`` is offered a challenger; ``parts`` says who answers what in it."""

    round: int
    state: str
    folder: str
    bundle: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Renewed:
    """The champion's networks were trained again on newer prices, and the miner is offered them as its challenger.

    ``folder`` and ``bundle`` are empty where that could not be done; ``reason`` is why it was, or why not.
    """

    competition: str
    parent: str
    state: str
    reason: str
    folder: str = ""
    bundle: str = ""
    parts: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Crowned:
    """A competition has a new champion: ``folder`` of its bundle, whose hash is ``bundle``.

    A refit was found no worse than its parent, and better than nobody.
    """

    competition: str
    folder: str
    bundle: str
    reason: str
    parts: tuple[str, ...] = ()
    is_refit: bool = False


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A round is over: ``failed``, ``nothing proven``, ``stalled`` or ``proven``, and why or how far."""

    round: int
    outcome: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """The process ended, and why."""

    reason: str


Event = (
    Opened | Resumed | Waiting | Began | Researched | Planned | Searched | Failed | Troubled | Judged | Published
    | Deployed | Renewed | Crowned | Ended | Stopped
)  # fmt: skip
_KINDS: dict[str, type[Event]] = {
    cls.__name__.lower(): cls
    for cls in (
        Opened, Resumed, Waiting, Began, Researched, Planned, Searched, Failed, Troubled, Judged, Published, Deployed,
        Renewed, Crowned, Ended, Stopped,
    )
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Told:
    """An event and when (unix s) it was written down."""

    event: Event
    time: float


def write_event(event: Event, time: float) -> dict[str, object]:
    """Return the line of an event."""
    fields: Mapping[str, object] = plain(event)
    return {"kind": type(event).__name__.lower(), "time": round(time, 3), **fields}


def read_event(line: Mapping[str, object]) -> Told:
    """Return the event of a line.

    Raises:
        RunError: it is none that this version writes.
    """
    fields = dict(line)
    kind, time = str(fields.pop("kind", "")), fields.pop("time", None)
    if kind not in _KINDS or not isinstance(time, int | float):
        raise RunError(f"no event is of the kind {kind[:60]!r}")
    try:
        return Told(event=build(_KINDS[kind], fields, where=f"the event {kind}"), time=float(time))
    except ConfigError as error:
        raise RunError(f"the event {kind} makes no sense: {error}") from error
