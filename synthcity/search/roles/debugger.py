"""The debugger: finds out why a trial failed and patches its configuration; the gate says whether it would be taken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synthcity.agents.tools import Toolset, build_toolset
from synthcity.errors import ConfigError
from synthcity.search.debugger.catalogue import find
from synthcity.search.debugger.consult import FINISH, values_of
from synthcity.search.debugger.failure import Failure
from synthcity.search.debugger.patch import describe
from synthcity.search.debugger.tools import Case
from synthcity.search.gate import Rejected
from synthcity.search.journal.history import FAILED
from synthcity.search.roles.context import RoleContext
from synthcity.search.roles.role import Finished, Role


def case_of(context: RoleContext) -> Case:
    """Return the failed trial that the context names, the newest where it names none.

    Raises:
        ConfigError: there is no such trial, or it did not fail.
    """
    context.check_known()
    failed = [record.candidate.id for record in context.history.records if record.status == FAILED]
    if not failed:
        raise ConfigError("no trial of this run failed, so there is nothing to debug; name another --run")
    name = context.trial or failed[-1]
    if name not in failed:
        how = context.history.trials[name].status if name in context.history.trials else "unknown"
        raise ConfigError(f"--trial {name} is {how}; failed are {', '.join(failed)}")
    return Case.of(context.history.trials[name], context.history, context.space, context.gate)


def _values(context: RoleContext) -> Mapping[str, str]:
    case = case_of(context)
    return values_of(case, context.task(), case.refused)


def _toolset(context: RoleContext, folder: Path) -> Toolset:
    return build_toolset("debugger", case_of(context))


def _finish(context: RoleContext) -> Mapping[str, object]:
    return FINISH


def _measured(context: RoleContext, result: Finished) -> list[str]:
    case = case_of(context)
    known = find(Failure.of(case.record.failure))
    catalogue = "does not know this failure" if known is None else f"says {known.cause}: {known.meaning}"
    lines = [f"{case.record.candidate.id}: the catalogue {catalogue}"]
    changes = result["changes"]
    if not changes:
        return [*lines, "no patch"]
    try:
        proposal = case.patched(changes, result["cause"])
    except (ConfigError, Rejected) as error:
        return [*lines, f"the patch is refused: {error}"]
    changed = describe(case.record.candidate.config, {change["path"]: change["value"] for change in changes})
    return [*lines, f"the patch {changed}: {context.judge(proposal.config)}"]


ROLE = Role(
    name="debugger",
    prompt="debugger",
    message="Find the cause and end with `finish`.",
    values=_values,
    finish=_finish,
    measured=_measured,
    toolset=_toolset,
)
