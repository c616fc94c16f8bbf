"""The author: writes a new component in the sandbox; what is admitted lies in the folder of the work."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synthcity.agents.loop import SUMMARY
from synthcity.agents.tools import Toolset
from synthcity.authored.locked.isolation import check_isolation
from synthcity.nets.authored.sandbox import Sandbox
from synthcity.search.roles.authoring import TASK, TOOLS, Work, values
from synthcity.search.roles.context import RoleContext
from synthcity.search.roles.role import Finished, Role


def _values(context: RoleContext) -> Mapping[str, str]:
    check_isolation()
    return values()


def _toolset(context: RoleContext, folder: Path) -> Toolset:
    return TOOLS.build_toolset("author", Work(emit=context.tell, folder=folder, admission=Sandbox()))


def _finish(context: RoleContext) -> Mapping[str, object]:
    return SUMMARY


def _measured(context: RoleContext, result: Finished) -> list[str]:
    lines = []
    for event in context.own:
        if event["kind"] == "authored":
            lines.append(f"{event['file']}: the {event['component']} {event['name']} is admitted")
        elif event["kind"] == "author_refused":
            reason = event["reason"].replace("\n", "; ")
            lines.append(f"{event['file']}: refused ({event['stage']}): {reason}")
    return lines or ["nothing was tried, so nothing is admitted"]


ROLE = Role(
    name="author",
    prompt="author",
    message=TASK,
    values=_values,
    finish=_finish,
    measured=_measured,
    toolset=_toolset,
)
