"""Roles: agents that work alone, one file each, named in :data:`ROLES` or by entry points ``synthcity.roles``.

A role is a module with ``ROLE``: its prompt, the form of what it gives to ``finish``, and what the program itself says
of that. Its tools are functions in the same file, registered for its name; they get the :class:`~.context.RoleContext`.
"""

from __future__ import annotations

import importlib

from synthcity import plugins
from synthcity.errors import ConfigError, unknown_name
from synthcity.search.roles.role import Role

KIND = "roles"
# name -> (module, one line for --help); imported only when it is to work
ROLES = {
    "planner": ("synthcity.search.roles.planner", "proposes the next candidates"),
    "trainer": ("synthcity.search.roles.trainer", "trains a candidate and reports"),
    "checker": ("synthcity.search.roles.checker", "explains what came of a run"),
    "debugger": ("synthcity.search.roles.debugger", "finds out why a trial failed and mends it"),
    "publisher": ("synthcity.publish.role", "publishes what the gate lets pass"),
    "author": ("synthcity.search.roles.author", "writes a new block or head in the sandbox"),
}


def find_role(name: str) -> Role:
    """Return a role and register its tools.

    Raises:
        ConfigError: there is none of this name.
    """
    if name in ROLES:
        role: object = importlib.import_module(ROLES[name][0]).ROLE
        assert isinstance(role, Role)
        return role
    if plugins.is_reference(name):
        plugins.allow(name)
    plugin = plugins.find(KIND, name)
    if plugin is None:
        raise ConfigError(unknown_name("agent", name, plugins.merged(KIND, ROLES)))
    role = plugins.load(plugin)
    if not isinstance(role, Role):
        raise ConfigError(f"{plugin.reference} must be a Role, not {type(role).__name__}")
    return role
