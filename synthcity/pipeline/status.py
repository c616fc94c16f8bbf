"""How a pipeline stands, for people and scripts: read from its journal and the miner's files at any time."""

from __future__ import annotations

import fcntl
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from synthcity.errors import ConfigError, SynthcityError
from synthcity.market.times import format_time
from synthcity.pipeline.journal import JOURNAL, read_told
from synthcity.pipeline.state import Round, State
from synthcity.serve.settlement.succession import Succession

_RECENT = 10


@dataclass(frozen=True, kw_only=True)
class RoundTold:
    """A round as a line."""

    round: int
    competition: str
    test: str
    look: int
    level: float
    attempts: int
    state: str
    reason: str
    usd: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Status:
    """See ``read_status``; ``champions`` by competition, ``answers`` and ``shadow`` of the miner last deployed to."""

    folder: str
    world: str
    is_running: bool
    doing: str
    competitions: tuple[str, ...]
    rounds: int
    proven: int
    published: int
    deployed: int
    usd: float
    seconds: float
    champions: dict[str, str]
    answers: str
    shadow: str
    since: str
    last: tuple[RoundTold, ...]

    def to_dict(self) -> dict[str, object]:
        """Return plain data."""
        return asdict(self)


def read_status(folder: Path) -> Status:
    """Return how the pipeline in ``folder`` stands.

    Raises:
        ConfigError: there is none.
        RunError: its journal is damaged.
    """
    told = read_told(folder)
    if not told:
        raise ConfigError(f"there is no pipeline in {folder}: it has no {JOURNAL}")
    state = State.of(told)
    deployed = [one for one in state.rounds if one.deployed is not None]
    succession = None
    if deployed and deployed[-1].deployed is not None:
        with suppress(SynthcityError):
            succession = Succession.read(Path(deployed[-1].deployed.state))
    is_running = _is_held(folder / JOURNAL)
    assert state.opened is not None
    return Status(
        folder=str(folder),
        world=state.opened.world,
        is_running=is_running,
        doing=_doing(state, is_running),
        competitions=state.opened.competitions,
        rounds=len(state.rounds),
        proven=sum(one.judged is not None and one.judged.passed for one in state.rounds),
        published=sum(one.published is not None for one in state.rounds),
        deployed=len(deployed),
        usd=state.usd,
        seconds=state.seconds,
        champions={name: one.folder for name, one in state.champions.items()},
        answers=succession.champion if succession else "",
        shadow=(succession.challenger or "") if succession and succession.champion == succession.named else "",
        since=format_time(int(told[0].time)),
        last=tuple(_told(one) for one in state.rounds[-_RECENT:]),
    )


def lines(status: Status) -> list[str]:
    """Return the status as a person reads it."""
    mark = f"{status.world} " if status.world else ""
    found = [
        f"{mark}{status.folder}: {status.doing}",
        f"  {status.rounds} rounds of {', '.join(status.competitions)} since {status.since}; {status.proven} proven, "
        f"{status.published} published, {status.deployed} deployed",
        f"  {status.usd:.2f} USD, {status.seconds:,.0f} s of searching",
    ]
    found += [f"  champion of {name}: {folder}" for name, folder in status.champions.items()]
    if status.answers:
        found.append(f"  the miner answers with {status.answers}")
    if status.shadow:
        found.append(f"  in its shadow: {status.shadow}")
    for one in status.last:
        found.append(f"  {one.round:>4} {one.competition:<12} {one.state:<15} {one.reason}")
    return found


def _told(one: Round) -> RoundTold:
    ended = one.ended
    return RoundTold(
        round=one.began.round,
        competition=one.began.competition,
        test=str(one.began.periods.test),
        look=one.began.look,
        level=one.began.level,
        attempts=len(one.planned),
        state="open" if ended is None else ended.outcome,
        reason=(one.planned[-1].reason if one.planned else "") if ended is None else ended.reason,
        usd=one.usd,
        seconds=one.seconds,
    )


def _doing(state: State, is_running: bool) -> str:
    if not is_running:
        return f"stopped: {state.stopped}" if state.stopped else "no process; it was killed, so resume it"
    if state.waiting is not None:
        return f"waits until {format_time(int(state.waiting.until))}: {state.waiting.reason}"
    if state.current is None:
        return "between two rounds"
    return f"in round {state.current.began.round}, of {state.current.began.competition}"


def _is_held(path: Path) -> bool:
    """Whether a process has the journal for itself."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
