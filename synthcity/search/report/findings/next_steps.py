"""What to do after a verdict: commands to copy, each with what it is for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import NamedTuple

from synthcity.search.report.model import Report

_SWEEPS = {
    "crypto-24h": "configs/sweep.yaml",
    "crypto-1h": "configs/sweep-1h.yaml",
    "com-equ-24h": "configs/sweep-equ.yaml",
}
_STORE = "data/store"


class Step(NamedTuple):
    """A command line and why one would type it."""

    why: str
    command: str


INSTALL = Step(
    "install what answering needs, in the clone of synthcity, unless you have",
    "pip install -c constraints.txt -e '.[serve]'",
)


def next_steps(report: Report, folder: str | None = None) -> list[Step]:
    """Return what makes sense next, the nearest first; ``folder`` is the run's, by default where its config put it."""
    if not report["run"].get("is_over", True):
        return _going_on(report)
    config = report["config"]
    run = folder or f"{config.get('output') or 'runs'}/{report['run']['name']}"
    data = config.get("data")
    store = shlex.quote(str((data.get("path") if isinstance(data, Mapping) else None) or _STORE))
    run, winner = shlex.quote(run), shlex.quote(f"{run}/winner")
    why = "let the winner answer signed prompts on this machine, in about a minute"
    rehearse = [INSTALL, Step(why, f"synthcity mine rehearse {winner}")]
    if report["run"].get("is_simulated", False):
        return [*rehearse, *_from_simulated(report)]
    if report["verdict"]["proven"]:
        return [_replay(winner, store), *rehearse, *_earning(report, run, winner, store)]
    return [*_longer(report, run), _replay(winner, store), *rehearse]


def _going_on(report: Report) -> list[Step]:
    command, name = report["run"]["command"], shlex.quote(report["run"]["name"])
    again = command if "--resume" in command or " extend " in command else f"{command} --resume"
    return [
        Step("go on where it was left, unless it is running still; nothing is done twice", again),
        Step("draw this page again, with what was found since", f"synthcity runs report {name}"),
    ]


def _replay(winner: str, store: str) -> Step:
    why = "estimate its rank and share of the pay among the real miners, with intervals"
    return Step(why, f"synthcity replay {winner} --data {store}")


def _from_simulated(report: Report) -> list[Step]:
    sweep = _SWEEPS.get(report["run"]["competition"], _SWEEPS["crypto-24h"])
    steps = []
    if not report["arms"]:
        steps.append(Step("let proposers look for a better network", "synthcity search configs/quickstart.yaml"))
    steps.append(Step("get real prices, without a key", f'synthcity data download --last "12 months" --store {_STORE}'))
    search = f'synthcity search {sweep} --set data.assets=null --set "data.periods=last 12 months"'
    return [*steps, Step("and search on them: only what is proven there is worth mining with", search)]


def _earning(report: Report, run: str, winner: str, store: str) -> list[Step]:
    competition = report["run"]["competition"]
    others = " ".join(f"{name}=fhs" for name in _SWEEPS if name != competition)
    return [
        Step("serve it to people and tools over HTTP", f"synthcity serve {winner} --data {store}"),
        Step(
            "join it with forecasters for the other competitions, since a miner is asked for all",
            f"synthcity combine bundles/mine {competition}={winner} {others}",
        ),
        Step(
            "mine with that, once `synthcity mine check` finds nothing wrong; docs/mining.md leads there",
            f"synthcity mine run bundles/mine --data {store} --wallet miner --hotkey default",
        ),
        Step("see what would be published of it", f"synthcity publish {run} --dry-run"),
    ]


def _longer(report: Report, run: str) -> list[Step]:
    if not report["arms"]:
        sweep = _SWEEPS.get(report["run"]["competition"], _SWEEPS["crypto-24h"])
        return [Step("let proposers look for a better network", f"synthcity search {sweep}")]
    trials = 2 * len(report["trials"])
    why = f"search on, to {trials} trials; the test period is then looked at once more, which the verdict says"
    return [Step(why, f"synthcity runs extend {run} --trials {trials}")]
