"""Many rounds with faults at every step, by processes that are killed: nothing doubled, nothing unproven, same outcome.

``python -m tests.pipeline.campaign --rounds 30 --kills 60 --seed 1``

The loop, its journal, the stand-in for the Hub and the offers to the miner are the real ones; searches take no time.
Every process runs under faults (venues late, the Hub away, a disk that is full, candidates that do not train); some are
killed with SIGKILL before, in and after a step. At the end the outcome is held against that of a pipeline that nothing
disturbed, and what was paid, published and offered is counted.
"""

from __future__ import annotations

import argparse
import errno
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from synthcity.errors import (
    ChainError,
    Fatal,
    LLMUnavailable,
    PublishError,
    RunError,
    SourceError,
    SynthcityError,
    VaultError,
)
from synthcity.pipeline.journal import read_state
from synthcity.pipeline.loop import run_loop
from synthcity.pipeline.state import PROVEN, TRIAL, State
from tests.pipeline.standin import CONFIG, StandIn

STEPS = ("news", "begin", "plan", "search", "search done", "check", "publish", "publish done", "deploy", "deploy done")
FAULTS: dict[str, tuple[Exception, ...]] = {
    "begin": (SourceError("prices are late"), RunError(f"the disk: {os.strerror(errno.ENOSPC)}")),
    "search": (Fatal("no candidate was trained"), LLMUnavailable("the model is away"), RunError("the disk is full")),
    "check": (VaultError("402: payment required"), RunError("the disk is full")),
    "publish": (PublishError("500 from the Hub"),),
    "publish done": (PublishError("the answer was lost"), RunError("the disk is full")),
    "deploy": (ChainError("nobody answers"), RunError("the disk is full")),
    "deploy done": (RunError("the disk is full"),),
}
_FAULTY = 0.15  # of the steps meet one


@dataclass
class Tally:
    """What happened, and what must not have."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def expect(self, is_so: bool, what: str) -> None:
        if not is_so:
            self.wrong.append(what)


def skill(number: int) -> float | None:
    """Of six rounds three prove something, and one more leads without a proof."""
    return (-1.0, -0.1, -1.0, None, -1.0, None)[number % 6]


def campaign(*, rounds: int, kills: int, seed: int, folder: Path) -> Tally:
    """Run it in ``folder``, which is left as it is for whoever wants to look."""
    rng, tally, config = random.Random(seed), Tally(), replace(CONFIG, rounds=rounds, retries=4)
    calm, rough = folder / "calm", folder / "rough"
    run_loop(calm, config, StandIn(calm, skill=skill))
    left, processes = kills, 0
    while not _is_done(rough, rounds):
        processes += 1
        after = rng.randrange(1, 9) if left else None
        ended = _process(rough, config, rng.randrange(2**32), after)
        tally.counts[ended] += 1
        left -= ended == "killed"
        if processes > 40 * (rounds + kills):
            tally.wrong.append("it does not come to an end")
            break
    tally.counts["processes"] = processes
    _check(calm, rough, tally)
    return tally


def _process(folder: Path, config: object, seed: int, kill_after: int | None) -> str:
    """Let one process go on; ``kill_after`` counts the moments of steps until it is killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            rng, moments = random.Random(seed), [0]

            def fault(step: str, state: State) -> None:
                moments[0] += 1
                if moments[0] == kill_after:
                    os.kill(os.getpid(), signal.SIGKILL)
                if step in FAULTS and rng.random() < _FAULTY:
                    raise rng.choice(FAULTS[step])

            run_loop(folder, config, StandIn(folder, fault=fault, skill=skill), resume=True)  # type: ignore[arg-type]
            code = 0
        except SynthcityError:
            code = 3
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "killed"
    return {0: "ended", 3: "stopped with its reason"}.get(os.WEXITSTATUS(status), "crashed")


def _is_done(folder: Path, rounds: int) -> bool:
    state = read_state(folder)
    return len(state.rounds) == rounds and state.current is None


def _check(calm: Path, rough: Path, tally: Tally) -> None:
    before, after, work = read_state(calm), read_state(rough), StandIn(rough)
    tally.expect(not tally.counts["crashed"], f"{tally.counts['crashed']} processes crashed")
    proven = [one.began.round for one in after.rounds if one.ended and one.ended.outcome == PROVEN]
    tally.counts["rounds"], tally.counts["proven"] = len(after.rounds), len(proven)
    commits = work.commits()
    tally.expect(sorted(commits) == sorted(f"[round {number}]" for number in proven), f"published: {commits}")
    tally.expect(all(skill(number) == -1.0 for number in proven), "something unproven counts as proven")
    tried = [one.began.round for one in after.rounds if one.ended and one.ended.outcome == TRIAL]
    tally.counts["on trial"] = len(tried)
    tally.expect(all(skill(number) == -0.1 for number in tried), "what proves or leads nothing is on trial")
    paid = work.paid()
    tally.expect(len(paid) == len(set(paid)), "a search was paid for twice")
    tally.expect(abs(after.usd - work.usd * len([one for one in after.rounds if one.searched])) < 1e-9, "money is lost")
    deployed = [one.began.round for one in after.rounds if one.deployed]
    tally.expect(deployed == sorted([*proven, *tried]), f"deployed: {deployed}, proven: {proven}, on trial: {tried}")
    tests = [one.began.periods.test for one in after.rounds if one.looked]
    tally.expect(all(one.end <= two.start for one, two in pairwise(tests)), "looked at twice")
    same = [(one.began.round, one.ended and one.ended.outcome) for one in before.rounds]
    failed = [one for one in after.rounds if one.ended and one.ended.outcome == "failed"]
    tally.counts["failed for good"] = len(failed)
    found = [(one.began.round, one.ended and one.ended.outcome) for one in after.rounds]
    tally.expect(bool(failed) or found == same, f"another outcome than undisturbed: {found}")


def main() -> None:
    """Print what happened; exit 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pipeline-campaign-") as folder:
        tally = campaign(rounds=options.rounds, kills=options.kills, seed=options.seed, folder=Path(folder))
    for name, count in sorted(tally.counts.items()):
        print(f"{count:>6}  {name}")
    print("\n".join(tally.wrong) or "nothing doubled, nothing unproven, the undisturbed outcome")
    sys.exit(1 if tally.wrong else 0)


if __name__ == "__main__":
    main()
