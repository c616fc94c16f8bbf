"""How a pipeline stands, for people and scripts: read from its journal and the miner's files at any time."""

from __future__ import annotations

import fcntl
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from synthcity.errors import ConfigError, SynthcityError
from synthcity.market.times import format_time
from synthcity.pipeline.events import Renewed
from synthcity.pipeline.journal import JOURNAL, read_told
from synthcity.pipeline.state import Round, State
from synthcity.serve.challengers.tenure import Tenure, read_tenure

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
    """See ``read_status``.

    Attributes:
        champions: of this pipeline, by competition.
        refits: offered; ``deployed`` counts all else that was, proven or on trial.
        miner: who answers at the miner that was offered the last challenger, who shadows, and what both earned; None
            where there is none, ``miner_trouble`` says what of it cannot be read.
    """

    folder: str
    world: str
    is_running: bool
    doing: str
    competitions: tuple[str, ...]
    rounds: int
    proven: int
    published: int
    deployed: int
    refits: int
    usd: float
    seconds: float
    champions: dict[str, str]
    miner: Tenure | None
    miner_trouble: str
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
    assert state.opened is not None
    miner, trouble = None, ""
    if state.offered is not None:
        try:
            miner = read_tenure(Path(state.offered[1].state), told[-1].time if state.opened.world else time.time())
        except SynthcityError as error:
            trouble = str(error)
    is_running = is_held(folder / JOURNAL)
    return Status(
        folder=str(folder),
        world=state.opened.world,
        is_running=is_running,
        doing=_doing(state, is_running),
        competitions=state.opened.competitions,
        rounds=len(state.rounds),
        proven=sum(one.judged is not None and one.judged.passed for one in state.rounds),
        published=sum(one.published is not None for one in state.rounds),
        deployed=sum(one.deployed is not None for one in state.rounds),
        refits=sum(isinstance(one.event, Renewed) and bool(one.event.folder) for one in state.renewals),
        usd=state.usd,
        seconds=state.seconds,
        champions={name: one.folder for name, one in state.champions.items()},
        miner=miner,
        miner_trouble=trouble,
        since=format_time(int(told[0].time)),
        last=tuple(_told(one) for one in state.rounds[-_RECENT:]),
    )


def lines(status: Status) -> list[str]:
    """Return the status as a person reads it."""
    mark = f"{status.world} " if status.world else ""
    found = [
        f"{mark}{status.folder}: {status.doing}",
        f"  {status.rounds} rounds of {', '.join(status.competitions)} since {status.since}; {status.proven} proven, "
        f"{status.published} published, {status.deployed} deployed, {status.refits} refits",
        f"  {status.usd:.2f} USD, {status.seconds:,.0f} s of searching",
    ]
    found += [f"  champion of {name}: {folder}" for name, folder in status.champions.items()]
    found += _miner(status)
    for one in status.last:
        found.append(f"  {one.round:>4} {one.competition:<12} {one.state:<15} {one.reason}")
    return found


def place_of(state: Path) -> Path:
    """Return the folder of the miner that the pipeline in ``state`` last offered a challenger.

    Raises:
        ConfigError: it never did.
    """
    offered = State.of(read_told(state)).offered
    if offered is None:
        raise ConfigError(f"the pipeline in {state} has deployed nothing, so there is no miner to rank")
    return Path(offered[1].state)


def _miner(status: Status) -> list[str]:
    if status.miner is None:
        return [f"  the miner cannot be read: {status.miner_trouble}"] if status.miner_trouble else []
    miner = status.miner
    since = f" since {format_time(int(miner.since))}" if miner.since else ""
    found = [f"  the miner answers with {miner.champion}{since}: {miner.reason}"]
    if miner.challenger:
        found.append(f"  in its shadow{', on trial' if miner.on_trial else ''}: {miner.challenger}")
    for race in miner.races:
        found.append(f"    {race.competition}: {race.decision}, {race.reason}; {race.prompts} prompts")
    if miner.earned:
        found.append(f"  settled scores, lower is better{', of prompts that both answered' if miner.is_paired else ''}")
    for one in miner.earned:
        place = ""
        if one.place is not None:
            place = f", rank {one.place.rank} of {one.place.num_miners} on {format_time(int(one.place.time))}"
        found.append(f"    {one.role} in {one.competition}: {one.average:.1f} bp over {one.answers} answers{place}")
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


def is_held(path: Path) -> bool:
    """Whether a process has the journal at ``path`` for itself."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
