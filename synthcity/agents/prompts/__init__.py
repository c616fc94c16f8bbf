"""Prompts: short packaged fragments, put together by role, filled with generated text.

``roles.yaml`` lists the fragments of each role. In a fragment ``{{name}}`` stands for a value from our own code and
``{{data name}}`` for one that others wrote (a model, a traceback, a file): it is fenced as data, and cannot end its
own fence. A fragment whose values are all empty is left out. What a model must know of components, rules and errors
always comes in as a value; no fragment names one. The version is a hash of the role's fragments, so it changes with
them and cannot be forgotten.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from synthcity.documents import parse_yaml
from synthcity.errors import unknown_name

_PLACE = re.compile(r"\{\{(data )?(\w+)\}\}")
_FENCE_END = re.compile(r"<(?=/?data\b)", re.IGNORECASE)


@dataclass(frozen=True)
class RenderedPrompt:
    """A filled prompt and the version of its fragments, ``<role>@<hash>``."""

    text: str
    version: str


def roles() -> tuple[str, ...]:
    """All roles that have a prompt."""
    return tuple(_fragments())


def placeholders(role: str) -> frozenset[str]:
    """Names of the values that :func:`render` wants for a role."""
    return _places(_of(role))


def render(role: str, values: Mapping[str, str], own: Sequence[str] = ()) -> RenderedPrompt:
    """Fill the fragments of a role.

    Args:
        role: one of :func:`roles`, or any name with fragments of its ``own``.
        values: a text for each of :func:`placeholders`; an empty one leaves out what is only about it.
        own: fragments of a role that is not packaged: names of packaged ones, and texts.

    Raises:
        ValueError: a role or value is unknown, or a value is missing.
    """
    fragments = tuple(map(_fragment, own)) or _of(role)
    wanted = _places(fragments)
    for name in values.keys() - wanted:
        raise ValueError(f"prompt {role}: {unknown_name('value', name, wanted or {'none'})}")
    if missing := sorted(wanted - values.keys()):
        raise ValueError(f"prompt {role} lacks {', '.join(missing)}; pass an empty text to leave one out")

    def fill(match: re.Match[str]) -> str:
        value = values[match[2]].strip()
        return as_data(match[2], value) if match[1] else value

    parts = []
    for fragment in fragments:
        names = [name for _, name in _PLACE.findall(fragment)]
        if not names or any(values[name].strip() for name in names):
            parts.append(_PLACE.sub(fill, fragment))
    digest = hashlib.sha256("\0".join(fragments).encode()).hexdigest()
    return RenderedPrompt("\n\n".join(parts), f"{role}@{digest[:8]}")


def as_data(name: str, text: str) -> str:
    """Fence a text that others wrote; what looks like a fence in it is defused."""
    return f'<data name="{name}">\n{_FENCE_END.sub("&lt;", text)}\n</data>'


def _places(fragments: Sequence[str]) -> frozenset[str]:
    return frozenset(name for text in fragments for _, name in _PLACE.findall(text))


def _fragment(name: str) -> str:
    """Return the packaged fragment of this name; any other text is one itself."""
    if not name.isidentifier():
        return name.strip()
    file = resources.files(__package__) / "fragments" / f"{name}.md"
    if not file.is_file():
        raise ValueError(f"there is no packaged fragment {name!r}; write its text instead")
    return file.read_text(encoding="utf-8").strip()


def _of(role: str) -> tuple[str, ...]:
    fragments = _fragments()
    if role not in fragments:
        raise ValueError(unknown_name("role", role, fragments))
    return fragments[role]


@cache
def _fragments() -> dict[str, tuple[str, ...]]:
    folder = resources.files(__package__)
    table = parse_yaml((folder / "roles.yaml").read_text(encoding="utf-8"), "roles.yaml")
    return {role: tuple(_fragment(name) for name in names) for role, names in table.items()}
