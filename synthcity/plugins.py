"""What people add from outside this repository: names that installed distributions declare, and ``module:Name``.

A distribution declares what it adds as an entry point of a group ``synthcity.<kind>``::

    [project.entry-points."synthcity.blocks"]
    ema = "my_package.ema:Ema"

and ``ema`` is a block wherever a block is named; nothing of it is imported before. Without a distribution the same
thing is named ``my_package.ema:Ema``, from the working directory or the Python path. Such a reference is imported only
after :func:`allow`, which is called where a person wrote it: on a command line, in a file of settings, in a call. What
a bundle, a run folder or a language model names is not imported for that.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

from synthcity.errors import BundleError, ConfigError, unknown_name

# kind -> what one is called in a sentence; the group of entry points is synthcity.<kind>
KINDS: Mapping[str, str] = {
    "blocks": "block",
    "heads": "head",
    "forecasters": "forecaster",
    "proposers": "proposer",
    "sources": "source",
    "rules": "rules",
    "roles": "role",
    "chains": "chain",
    "stores": "store",
    "commands": "command",
}
_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """One thing from outside: its name, where its code is, and which distribution brings it (None: none known).

    ``declared``: by an entry point of that distribution.
    """

    kind: str
    name: str
    reference: str
    distribution: str | None = None
    version: str | None = None
    declared: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(unknown_name("kind of plugin", self.kind, KINDS))

    @property
    def pinned(self) -> str:
        """The distribution as pip takes it."""
        return f"{self.distribution}=={self.version}"

    def __str__(self) -> str:
        what = f"{KINDS[self.kind]} {self.name}"
        return what if self.distribution is None else f"{what} of {self.distribution} {self.version}"

    def to_dict(self) -> dict[str, object]:
        """Return plain data, for a bundle or a worker."""
        return asdict(self)


def installed(kind: str) -> Mapping[str, Plugin]:
    """Return what installed distributions declare, by name; nothing is imported.

    Raises:
        ConfigError: two distributions declare the same name.
    """
    return _installed(kind, tuple(sys.path))


def merged(kind: str, packaged: Iterable[str]) -> list[str]:
    """Return all names of a kind: the packaged ones, then those of installed distributions.

    Raises:
        ConfigError: a distribution takes a packaged name.
    """
    own = list(packaged)
    for plugin in installed(kind).values():
        if plugin.name in own:
            raise ConfigError(f"synthcity has a {KINDS[kind]} {plugin.name} itself; {_renamed(plugin)}")
    return [*own, *installed(kind)]


def is_reference(name: object) -> bool:
    """Whether a name has the form ``module:Name``."""
    return isinstance(name, str) and _REFERENCE.fullmatch(name) is not None


def find(kind: str, name: object) -> Plugin | None:
    """Return what is declared under a name, or was allowed by reference; None if neither."""
    if name in installed(kind):
        return installed(kind)[str(name)]
    return plugin_at(kind, str(name)) if name in _allowed else None


def load(plugin: Plugin) -> object:
    """Import what a plugin names.

    Raises:
        ConfigError: it cannot be imported.
    """
    try:
        return _import(plugin.reference)
    except ConfigError as error:
        if plugin.distribution is None:
            raise
        raise ConfigError(f"the {plugin} cannot be used: {error}") from error


def allow(reference: str) -> None:
    """Import ``module:Name`` because a person named it; from now on it may be named in this process.

    The working directory is searched last, after all that is installed.

    Raises:
        ConfigError: it cannot be imported.
    """
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)
    importlib.invalidate_caches()
    _import(reference)
    _allowed.add(reference)


def forget(reference: str) -> None:
    """Take back what ``allow`` did."""
    _allowed.discard(reference)


def require(needed: Plugin) -> None:
    """See to it that what another process of ours named can be named here too.

    Raises:
        ConfigError: it is not installed here, or cannot be imported.
    """
    if needed.name in installed(needed.kind):
        return
    if needed.declared:
        raise ConfigError(f"the {needed} is not installed on this machine: pip install {needed.pinned}")
    allow(needed.reference)


def provide(needed: Plugin, *, where: Path, trust_code: bool) -> None:
    """See to it that what a bundle needs can be named, without running code on the bundle's word alone.

    Raises:
        BundleError: it is not installed, or no entry point names it and its code was not said to be trusted.
    """
    have = installed(needed.kind).get(needed.name)
    if have is not None and needed.distribution in (have.distribution, None):
        if have.version != needed.version:
            _log.warning("%s was saved with the %s; %s is installed", where, needed, have.version)
        return
    if have is not None:
        raise BundleError(f"{where} needs the {needed}, but {have.distribution} declares that name here; uninstall it")
    if needed.declared:
        raise BundleError(f"{where} needs the {needed}, which is not installed: pip install {needed.pinned}")
    if not trust_code:
        raise BundleError(
            f"{where} needs the {needed}, the code {needed.reference}, which no entry point names; if you trust it, "
            "load with trust_code=True (--trust-code)"
        )
    try:
        allow(needed.reference)
    except ConfigError as error:
        raise BundleError(f"{where} needs the {needed}: {error}") from error


def plugin_at(kind: str, reference: str, name: str | None = None) -> Plugin:
    """Describe what lies at ``module:Name``, with the distribution that brought the module, if any."""
    top = reference.partition(":")[0].partition(".")[0]
    if top == "__main__":
        raise ConfigError(
            f"{name or reference} is written in __main__, where no other process finds it; give it a file"
        )
    found = _distributions(tuple(sys.path)).get(top, [None])[0]
    version = None if found is None else metadata.version(found)
    return Plugin(kind=kind, name=name or reference, reference=reference, distribution=found, version=version)


def distributions() -> dict[str, str]:
    """Return the versions of all installed distributions that declare something, by name."""
    found = [plugin for kind in KINDS for plugin in installed(kind).values()]
    return {str(plugin.distribution): str(plugin.version) for plugin in found}


def modules() -> list[Path]:
    """Return the files and folders of the top-level modules that were allowed by reference."""
    found = []
    for reference in sorted(_allowed):
        module = sys.modules.get(reference.partition(":")[0].partition(".")[0])
        if module is None:
            continue
        paths = [str(module.__file__)] if getattr(module, "__file__", None) else list(module.__path__)
        path = Path(paths[0])
        found.append(path.parent if path.name == "__init__.py" else path)
    return list(dict.fromkeys(found))


_allowed: set[str] = set()


@cache
def _installed(kind: str, path: tuple[str, ...]) -> Mapping[str, Plugin]:
    """As ``installed``; ``path`` is where it looks, so that a longer path is looked through anew."""
    found: dict[str, Plugin] = {}
    for point in metadata.entry_points(group=f"synthcity.{kind}"):
        assert point.dist is not None
        plugin = Plugin(
            kind=kind,
            name=point.name,
            reference=point.value.replace(" ", ""),
            distribution=point.dist.name,
            version=point.dist.version,
            declared=True,
        )
        other = found.get(point.name)
        if other is not None and other != plugin:
            raise ConfigError(f"the {other} is declared by {plugin.distribution} too; uninstall one of them")
        found[point.name] = plugin
    return MappingProxyType(dict(sorted(found.items())))


@cache
def _distributions(path: tuple[str, ...]) -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def _import(reference: str) -> object:
    if not is_reference(reference):
        raise ConfigError(f"{reference!r} names no code; it must be of the form module:Name")
    name, _, attributes = reference.partition(":")
    try:
        module = importlib.import_module(name)
    except Exception as error:  # its author's code may fail in any way
        lost = isinstance(error, ModuleNotFoundError)
        remedy = "; install it, or work in the folder that holds it" if lost else ""
        raise ConfigError(f"cannot import {reference} ({type(error).__name__}: {error}){remedy}") from error
    found: object = module
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            known = [word for word in vars(module) if not word.startswith("_")]
            raise ConfigError(f"{name} has none of this: {unknown_name('name', attributes, known or ['nothing'])}")
        found = getattr(found, attribute)
    return found


def _renamed(plugin: Plugin) -> str:
    return f"{plugin.distribution} must give its own another name"
