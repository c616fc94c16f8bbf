"""The publisher: an agent that looks which runs may leave the house and publishes them; the gate alone decides which.

Its scope is the folder of runs that its run lies in. It names runs and nothing else: no files, no flags, no repository;
what it publishes is private where the Hub has no such repository yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synthcity.agents.loop import SUMMARY
from synthcity.agents.tools import Toolset, build_toolset, tool
from synthcity.errors import ConfigError, RunError, unknown_name
from synthcity.publish.gate import gate
from synthcity.publish.publish import publish
from synthcity.search.journal.events import Event
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import JOURNAL, read_events
from synthcity.search.report.seal import sealed
from synthcity.search.roles.context import RoleContext
from synthcity.search.roles.role import Finished, Role
from synthcity.settings import Settings

_MOST_RUNS = 50  # the newest that are shown


@dataclass(frozen=True)
class Desk:
    """What the publisher sees: ``runs`` by name, and the settings that say where to publish."""

    runs: Mapping[str, Path]
    settings: Settings = field(default_factory=Settings.load)

    @classmethod
    def beside(cls, run: Path) -> Desk:
        """Return the desk with every run in the folder that ``run`` lies in, the newest first."""
        found = [path.parent for path in run.resolve().parent.glob(f"*/{JOURNAL}") if not path.parent.is_symlink()]
        found.sort(key=lambda folder: (folder / JOURNAL).stat().st_mtime, reverse=True)
        return cls({folder.name: folder for folder in found[:_MOST_RUNS]})

    def find(self, name: str) -> Path:
        """Return the folder of a run that is in scope.

        Raises:
            ConfigError: it is none of them.
        """
        if name not in self.runs:
            raise ConfigError(unknown_name("run", name, self.runs))
        return self.runs[name]


@tool("publisher")
def list_runs(context: Desk) -> list[dict[str, object]]:
    """List the runs in scope, the newest first, each with its state, its verdict and where it was published."""
    return [{"run": name, **_state(folder)} for name, folder in context.runs.items()]


@tool("publisher")
def examine_run(context: Desk, run: str) -> dict[str, object]:
    """Let the gate examine a run without publishing it; it says why a run may not leave.

    Args:
        run: its name as list_runs gives it.
    """
    with gate(context.find(run), context.settings) as examined:
        findings = {finding.check: finding.reason or "passed" for finding in examined.findings}
        return {"run": run, "publishable": examined.proof is not None, "findings": findings}


@tool("publisher")
def publish_run(context: Desk, run: str) -> dict[str, object]:
    """Publish a run on the Hub, if the gate lets it pass; where it is already, it is only looked at again.

    Args:
        run: its name as list_runs gives it.
    """
    done = publish(context.find(run), ["hub"], settings=context.settings)
    assert done.hub is not None
    return {"run": run, "repository": done.hub.repo, "commit": done.hub.commit, "new": done.hub.is_new}


def _state(folder: Path) -> dict[str, object]:
    try:
        events = read_events(folder / JOURNAL)
    except RunError as error:
        return {"state": f"damaged: {error}"}
    history = TrialHistory.replay(events)
    verdict = next((event["sentence"] for event in reversed(events) if event["kind"] == "verdict"), "none yet")
    state = "sealed" if sealed(events) is not None else "finished by an earlier version"
    return {
        "state": state if history.finals.finished else "not over",
        "verdict": verdict,
        "published": _published(events),
    }


def _published(events: list[Event]) -> list[str]:
    return [f"{event['to']} {event['where']} {event['commit']}" for event in events if event["kind"] == "published"]


def _desk(context: RoleContext) -> Desk:
    if context.folder is None:
        raise ConfigError("a publisher works on runs; name one of them with --run")
    return Desk.beside(context.folder)


def _toolset(context: RoleContext, folder: Path) -> Toolset:
    return build_toolset("publisher", _desk(context))


def _values(context: RoleContext) -> Mapping[str, str]:
    _desk(context)
    return {}


def _finish(context: RoleContext) -> Mapping[str, object]:
    return SUMMARY


def _measured(context: RoleContext, result: Finished) -> list[str]:
    lines, damaged = list[str](), list[str]()
    for name, folder in _desk(context).runs.items():
        try:
            lines += [f"{name}: {where}" for where in _published(read_events(folder / JOURNAL))]
        except RunError as error:
            damaged.append(f"{name}: damaged: {error}")
    return (lines or ["nothing is published"]) + damaged


ROLE = Role(
    name="publisher",
    prompt="publisher",
    message="Find out which runs may be published, publish those that may and are not, and say what you did and why.",
    values=_values,
    finish=_finish,
    measured=_measured,
    toolset=_toolset,
)
