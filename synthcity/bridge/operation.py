"""An operation: one record from which its route, its tool, its client action and its lines in the skill are made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from synthcity.bridge.place import Place
from synthcity.errors import ConfigError, SynthcityError, unknown_name

Answer = Mapping[str, Any]  # plain data, as the operation's ``gives`` describes it
_LONGEST_SHOWN = 80  # characters of a wrong value
_NAME = re.compile(r"\{(\w+)(:path)?\}")


class Input(BaseModel):
    """What an operation takes; a field's description and bounds are told by every face."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Nothing(Input):
    """No input."""


I = TypeVar("I", bound=Input)  # noqa: E741


class Refused(SynthcityError):
    """The bridge will not do this; ``status`` is what HTTP says, ``headers`` go with it."""

    def __init__(self, text: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status, self.headers = status, dict(headers or {})
        self.exit_code = 3 if status in (404, 429) or status >= 500 else 2


@dataclass(frozen=True, kw_only=True)
class Asked(Generic[I]):
    """One question: what was given, by which bot, and where the bridge works."""

    given: I
    place: Place
    bot: str


@dataclass(frozen=True, kw_only=True)
class Operation(Generic[I]):
    """What can be asked for.

    Attributes:
        name: of the MCP tool and the client's action; words with ``_`` between them.
        about: what it does, first a sentence of its own.
        route: its path over HTTP; ``{name}`` stands for a field of ``takes``, ``{name:path}`` for one with slashes.
        takes, gives: types of what comes in and goes out.
        act: does it, or raises a ``SynthcityError``.
        writes: whether it changes or starts anything, which needs the key.
        has_body: whether what it takes comes as a JSON body although it changes nothing.
        long: whether it starts a job.
        also: other paths over HTTP that lead to it, each with what it gives beforehand.
    """

    name: str
    about: str
    route: str
    act: Callable[[Asked[I]], Answer]
    gives: type
    takes: type[I]
    writes: bool = False
    has_body: bool = False
    long: bool = False
    also: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """GET where it changes nothing and all it takes fits into an address."""
        return "POST" if self.writes or self.has_body else "GET"

    @property
    def in_path(self) -> list[str]:
        """Names of the fields that stand in the route."""
        return [name for name, _ in _NAME.findall(self.route)]

    def address(self, **values: str) -> str:
        """The route with values in the place of names, else as ``{name}``."""
        return _NAME.sub(lambda match: values.get(match[1], f"{{{match[1]}}}"), self.route)

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """JSON schema of what comes in."""
        return self.takes.model_json_schema()

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """JSON schema of what goes out."""
        return TypeAdapter(self.gives).json_schema(mode="serialization")

    def do(self, given: object, place: Place, bot: str, *, are_texts: bool = False) -> Answer:
        """Check what was given, and act.

        Args:
            given: names with values; with ``are_texts`` as an address has them.
            place: where the bridge works.
            bot: who asks.

        Raises:
            SynthcityError: it is wrong, or cannot be done.
        """
        return self.act(Asked(given=self.read(given, are_texts=are_texts), place=place, bot=bot))

    def read(self, given: object, *, are_texts: bool = False) -> I:
        """Return the input that was given.

        Raises:
            ConfigError: it is wrong; the text names the field.
        """
        if not isinstance(given, Mapping):
            raise ConfigError(f"{self.name} takes a JSON object of names and values, got {_shown(given)}")
        try:
            if are_texts:
                return self.takes.model_validate_strings(given, strict=False)
            return self.takes.model_validate(given)
        except ValidationError as error:
            raise ConfigError(self._sentence(error)) from None

    def _sentence(self, error: ValidationError) -> str:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"])) or self.name
        if first["type"] == "extra_forbidden":
            return unknown_name(f"input of {self.name}", name, self.takes.model_fields)
        if first["type"] == "missing":
            return f"{self.name} needs {name}"
        wanted = re.sub(r"^(Input|String|Value|List|Dictionary|Tuple) should ", "must ", first["msg"])
        wanted = wanted if wanted != first["msg"] else f"is wrong: {wanted}"
        return f"{name} {wanted}, got {_shown(first['input'])}"


def _shown(value: object) -> str:
    text = ascii(value) if not isinstance(value, int) or abs(value) < 10**_LONGEST_SHOWN else "a number without end"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
