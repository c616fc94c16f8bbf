"""Reading for what a component could keep from one call to the next: its outputs would depend on their order."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Set

from synthcity.authored.vocabulary import CONSTANT_CALLS

# an expression of these cannot be changed by whoever gets it
_UNCHANGING = (
    ast.Constant, ast.Tuple, ast.UnaryOp, ast.BinOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Name, ast.Attribute,
    ast.Call, ast.keyword, ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.Starred,
)  # fmt: skip


class BetweenCalls:
    """Looks at a file's constants, defaults, fields and what its methods set."""

    def __init__(
        self,
        tree: ast.Module,
        selves: Set[ast.Name],
        classes: Set[str],
        module_of: Callable[[ast.expr], str | None],
    ) -> None:
        """Args: ``selves`` are the nodes that stand for a method's own object, ``classes`` names of the file's own."""
        self._tree, self._selves, self._classes, self._module_of = tree, selves, classes, module_of

    def findings(self) -> Iterator[tuple[int, str]]:
        """Yield line and sentence of everything that could be kept, or that asks what something is."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.FunctionDef | ast.Lambda):
                for default in (*node.args.defaults, *node.args.kw_defaults):
                    if default is not None and not self._unchanging(default):
                        yield default.lineno, "a default must be a number, a text, None or a tuple of such"
            elif isinstance(node, ast.ClassDef):
                yield from self._fields(node)
        for node in self._tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value and not self._unchanging(node.value):
                yield node.lineno, "a constant must be a number, a text or a tuple of such, so that nothing changes it"
            elif isinstance(node, ast.FunctionDef):
                yield from self._apart(node)

    def _unchanging(self, value: ast.expr) -> bool:
        for node in ast.walk(value):
            if not isinstance(node, _UNCHANGING):
                return False
            if isinstance(node, ast.Call):
                of_math = isinstance(node.func, ast.Attribute) and self._module_of(node.func.value) == "math"
                if not of_math and not (isinstance(node.func, ast.Name) and node.func.id in CONSTANT_CALLS):
                    return False
        return True

    def _fields(self, owner: ast.ClassDef) -> Iterator[tuple[int, str]]:
        for part in owner.body:
            if isinstance(part, ast.AnnAssign) and part.value and not self._unchanging(part.value):
                yield part.lineno, "a field's default must be a number, a text, None or a tuple of such"
            if isinstance(part, ast.FunctionDef) and part.name != "__init__":
                yield from self._stored(part)

    def _stored(self, method: ast.FunctionDef) -> Iterator[tuple[int, str]]:
        for node in ast.walk(method):
            if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
                root: ast.expr = node
                while isinstance(root, ast.Attribute | ast.Subscript):
                    root = root.value
                if root in self._selves:
                    yield node.lineno, f"{ast.unparse(node)} may be set in __init__ alone"

    def _apart(self, function: ast.FunctionDef) -> Iterator[tuple[int, str]]:
        """A property is one of behaviour: it may not ask what something is."""
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and (node.id == "isinstance" or node.id in self._classes):
                yield node.lineno, f"{node.id} may stand in classes alone: a property is one of behaviour"
