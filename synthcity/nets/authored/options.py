"""What a file says of its options, read and not run, so that a process which must not run it can still propose them."""

from __future__ import annotations

import ast
import dataclasses
import math
import operator
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from synthcity.errors import ConfigError
from synthcity.nets import parameters
from synthcity.nets.parameters import Parameter, parameters_of

_MAKERS = "synthcity.nets.parameters"
_LARGEST, _MOST = 1e18, 64  # absolute value of a number; of both sides of a power, and length of a tuple
_OPERATORS: Mapping[type[ast.operator | ast.unaryop], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_PLAIN = bool | int | float | str

Option = tuple[str, Any]  # a name, and a field of a dataclass


class Unreadable(Exception):
    """A value that only running the file would tell, as a line and a sentence."""

    def __init__(self, node: ast.expr | ast.stmt, text: str) -> None:
        super().__init__(text)
        self.line = node.lineno


class Plain:
    """Values that a file writes out: numbers, texts, tuples, arithmetic of such, and its constants of this kind."""

    def __init__(self, tree: ast.Module) -> None:
        self._known: dict[str, object] = {}
        self._makers: dict[str, str] = {}
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module == _MAKERS:
                self._makers.update({name.asname or name.name: name.name for name in node.names})
            target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
            target = node.target if isinstance(node, ast.AnnAssign) else target
            if isinstance(target, ast.Name) and isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                try:
                    self._known[target.id] = self.value(node.value)
                except Unreadable:
                    self._known.pop(target.id, None)

    def value(self, node: ast.expr) -> object:
        """Return what an expression is.

        Raises:
            Unreadable: only running it would tell.
        """
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None):
                return node.value
            case ast.Tuple() if len(node.elts) <= _MOST:
                return tuple(self.value(part) for part in node.elts)
            case ast.Name() if node.id in self._known:
                return self._known[node.id]
            case ast.UnaryOp():
                return self._number(node, node.op, node.operand)
            case ast.BinOp():
                return self._number(node, node.op, node.left, node.right)
        raise Unreadable(
            node, f"{ast.unparse(node)[:80]} must be a number, a text, a tuple or arithmetic: options are read, not run"
        )

    def _number(self, node: ast.expr, op: ast.operator | ast.unaryop, *parts: ast.expr) -> float:
        values = [self.value(part) for part in parts]
        numbers = [value for value in values if isinstance(value, int | float)]
        small = not isinstance(op, ast.Pow) or max(map(abs, numbers), default=0) <= _MOST
        if type(op) in _OPERATORS and numbers == values and small:
            with suppress(ArithmeticError):
                found = _OPERATORS[type(op)](*numbers)
                if isinstance(found, int | float) and abs(found) <= _LARGEST:
                    return found
        raise Unreadable(node, f"{ast.unparse(node)[:80]} is no number of an option")

    def options(self, config: ast.ClassDef) -> tuple[Option, ...]:
        """Return the fields of a file's ``Config``.

        Raises:
            Unreadable: one is not made by integer, real, choice or boolean of plain values, or contradicts itself.
        """
        return tuple(
            (part.target.id, self._field(part.target.id, part))
            for part in config.body
            if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
        )

    def _field(self, name: str, part: ast.AnnAssign) -> object:
        made = part.value
        called = made.func.id if isinstance(made, ast.Call) and isinstance(made.func, ast.Name) else ""
        maker = self._makers.get(called)
        if maker is None or not isinstance(made, ast.Call):
            raise Unreadable(part, f"the option {name} must be made by integer, real, choice or boolean")
        given = [self.value(value) for value in made.args]
        named = {str(keyword.arg): self.value(keyword.value) for keyword in made.keywords}
        try:
            field = getattr(parameters, maker)(*given, **named)
            (parameter,) = parameters_of(dataclasses.make_dataclass("One", [(name, object, field)]))
            if not _is_sound(parameter):
                raise ConfigError("its bounds, choices or description are of the wrong kind")
            parameter.check(parameter.default, "Config")
        except (TypeError, ConfigError) as error:
            raise Unreadable(part, f"the option {name} cannot be: {error}") from error
        return field


def _is_sound(parameter: Parameter) -> bool:
    bounds = [bound for bound in (parameter.low, parameter.high) if bound is not None]
    numbers = all(isinstance(bound, int | float) and math.isfinite(bound) for bound in bounds)
    choices = isinstance(parameter.choices, tuple) and all(isinstance(each, _PLAIN) for each in parameter.choices)
    return numbers and choices and isinstance(parameter.doc, str) and isinstance(parameter.log, bool)
