"""What a file over NumPy says of itself by its constants and functions; read, never run."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Sequence

from synthcity.authored.reading import Finding

MAX_COLUMNS = 8  # of past, and as many of future: more would fit whatever there is
MAX_LOOKBACK_DAYS = 60
_NAME = re.compile(r"[a-z][a-z0-9_]{2,31}")


def digest(source: str) -> str:
    """Return the sha256 of a file's text."""
    return hashlib.sha256(source.encode("utf-8", errors="surrogatepass")).hexdigest()


class Declared:
    """Constants and functions at the top of a file; what is missing or wrong is empty or zero, and a finding."""

    def __init__(self, tree: ast.Module) -> None:
        self._docstring = ast.get_docstring(tree) or ""
        self._constants = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        }
        self.functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}

    @property
    def about(self) -> str:
        """The docstring's first line."""
        return self._docstring.partition("\n")[0]

    @property
    def name(self) -> str:
        """``NAME``."""
        value = self._constant("NAME")
        return value if isinstance(value, str) else ""

    @property
    def lookback_days(self) -> float:
        """``LOOKBACK_DAYS``."""
        value = self._constant("LOOKBACK_DAYS")
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0

    def names(self, constant: str) -> tuple[str, ...]:
        """Return a tuple of texts."""
        value = self._constants.get(constant)
        parts = value.elts if isinstance(value, ast.Tuple) else []
        values = [part.value if isinstance(part, ast.Constant) else None for part in parts]
        return tuple(value if isinstance(value, str) else "" for value in values)

    def findings(self) -> Iterator[Finding]:
        """Yield what every file must say and this one does not."""
        if not self._docstring:
            yield 1, "the file has no docstring that says what it is for and why that should matter"
        if not _NAME.fullmatch(self.name):
            yield 1, "NAME must be 3 to 32 characters of a-z, 0-9 and _, written as a text"
        if not 0 < self.lookback_days <= MAX_LOOKBACK_DAYS:
            yield 1, f"LOOKBACK_DAYS must be a number above 0 and at most {MAX_LOOKBACK_DAYS}"

    def arguments(self, function: str, wanted: Sequence[str]) -> Iterator[Finding]:
        """Yield whether a function that is there takes other arguments than ``wanted``."""
        if (node := self.functions.get(function)) is None:
            return
        found = node.args
        others = found.posonlyargs or found.kwonlyargs or found.vararg or found.kwarg or found.defaults
        if len(found.args) != len(wanted) or others:
            yield node.lineno, f"{function} takes {len(wanted)} arguments: {', '.join(wanted)}"

    def columns(self, function: str, wanted: Sequence[str]) -> Iterator[Finding]:
        """Yield what is wrong with a function that gives columns, and with the constant that names them."""
        constant, node = function.upper(), self.functions.get(function)
        if node is None:
            if constant in self._constants:
                yield 1, f"{constant} names columns, but there is no function {function}"
            return
        yield from self.arguments(function, wanted)
        names = self.names(constant)
        line = getattr(self._constants.get(constant), "lineno", node.lineno)
        if strange := [name for name in names if name and not _NAME.fullmatch(name)]:
            yield line, f"{constant}: {strange[0][:40]!r} is no name of 3 to 32 characters of a-z, 0-9 and _"
        elif not 0 < len(names) <= MAX_COLUMNS or "" in names or len(set(names)) < len(names):
            texts = f"1 to {MAX_COLUMNS} different names of 3 to 32 characters of a-z, 0-9 and _"
            yield line, f"{constant} must be a tuple of {texts}, one a column of {function}"

    def _constant(self, name: str) -> object:
        value = self._constants.get(name)
        return value.value if isinstance(value, ast.Constant) else None
