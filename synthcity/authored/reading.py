"""Reading what a language model wrote, before any of it runs: its syntax tree must consist of what is known.

Everything that a :class:`Vocabulary` does not list is refused: nodes, names, modules and what is taken from them,
attributes, decorators, base classes. A name that the file defines may become an attribute only if nothing that it could
meet has one of that name, so that no definition opens a way that the lists close. This is the first, cheap look and no
wall: what was read runs in a locked process alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import EllipsisType

from synthcity.authored.between_calls import BetweenCalls
from synthcity.authored.vocabulary import Vocabulary
from synthcity.errors import SynthcityError

MAX_CHARACTERS = 30_000
_MAX_DEPTH = 60

_NODES = (
    ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.ClassDef, ast.FunctionDef, ast.arguments, ast.arg,
    ast.Return, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For, ast.If, ast.Expr, ast.Pass, ast.Break, ast.Continue,
    ast.Raise, ast.Assert, ast.With, ast.withitem, ast.Lambda, ast.ListComp, ast.DictComp,
    ast.GeneratorExp, ast.comprehension, ast.Call, ast.keyword, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred,
    ast.Name, ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare,
    ast.IfExp, ast.JoinedStr, ast.FormattedValue, ast.NamedExpr, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
    ast.expr_context,
)  # fmt: skip
_TOP = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.Assign, ast.AnnAssign)


_CONSTANTS = int | float | complex | str | EllipsisType | None


class Refused(SynthcityError):
    """The text is not what an authored file may be; one line a finding."""


Finding = tuple[int, str]


def parse(source: str) -> ast.Module:
    """Return the tree of a file.

    Raises:
        Refused: it is too long, too deep or no Python.
    """
    if len(source) > MAX_CHARACTERS:
        raise Refused(f"the file has {len(source)} characters; at most {MAX_CHARACTERS} are read")
    try:
        tree = ast.parse(source)
        compile(tree, "<authored>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        raise Refused(
            f"{f'line {line}: ' if line else ''}this is no Python: {str(error) or type(error).__name__}"
        ) from error
    if _depth(tree) > _MAX_DEPTH:
        raise Refused(f"expressions are nested more than {_MAX_DEPTH} deep")
    return tree


def refuse(findings: list[Finding]) -> None:
    """Raise ``Refused`` with the first twenty of them, if there are any."""
    if findings:
        raise Refused("\n".join(f"line {line}: {text}" for line, text in sorted(set(findings))[:20]))


def _depth(tree: ast.AST) -> int:
    level, deepest = [tree], 0
    while level and deepest <= _MAX_DEPTH:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        deepest += 1
    return deepest


class Reader:
    """One pass that learns what the file binds, and one that looks at every node."""

    def __init__(self, tree: ast.Module, vocabulary: Vocabulary) -> None:
        self._tree, self._words = tree, vocabulary
        self._modules: dict[str, str] = {}  # local name -> module
        self._imported: set[str] = set()
        self._origins: dict[str, str] = {}  # local name -> module and name
        self._bound: set[str] = set()
        self._own: set[str] = set()  # names that the file gives to attributes and methods
        self._classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        self._decorators = {
            part
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef | ast.FunctionDef)
            for part in (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
        }
        self._callees = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
        self._selves: set[ast.Name] = set()

    def findings(self) -> list[Finding]:
        """Return line and sentence of everything that may not be."""
        return [*self._collect(), *self._top(), *self._walk(), *self._kept()]

    def _kept(self) -> Iterator[Finding]:
        return BetweenCalls(self._tree, self._selves, self._classes, self._module_of).findings()

    # ---- what is bound

    def _collect(self) -> Iterator[Finding]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Import):
                for name in node.names:
                    yield from self._import(node, name)
            elif isinstance(node, ast.ImportFrom):
                yield from self._import_from(node)
        for node in ast.walk(self._tree):
            yield from self._binding(node)

    def _import(self, node: ast.Import, name: ast.alias) -> Iterator[Finding]:
        if name.name not in self._words.modules:
            known = ", ".join(sorted(self._words.modules))
            yield node.lineno, f"import of {name.name} is not allowed; whole modules are: {known}"
        elif name.asname is None and "." in name.name:
            yield node.lineno, f"write `import {name.name} as ...`"
        else:
            yield from self._shadow(node, name.asname or name.name)
            self._modules[name.asname or name.name] = name.name

    def _import_from(self, node: ast.ImportFrom) -> Iterator[Finding]:
        module = node.module or ""
        allowed = self._words.modules.get(module, frozenset()) | self._words.names.get(module, frozenset())
        if node.level or not allowed:
            yield node.lineno, f"import from {'.' * node.level}{module} is not allowed"
            return
        for name in node.names:
            local = name.asname or name.name
            if f"{module}.{name.name}" in self._words.modules:
                yield from self._shadow(node, local)
                self._modules[local] = f"{module}.{name.name}"
            elif name.name not in allowed:
                yield node.lineno, f"{module}.{name.name} is not allowed"
            elif name.name in self._words.decorators and name.asname:
                yield node.lineno, f"{name.name} may not be renamed"
            else:
                yield from self._shadow(node, local)
                self._imported.add(local)
                self._origins[local] = f"{module}.{name.name}"

    def _shadow(self, node: ast.AST, name: str) -> Iterator[Finding]:
        if name in self._modules or name in self._imported or name in self._words.builtins:
            yield getattr(node, "lineno", 0), f"{name} is bound twice"
        yield from self._plain(node, name)

    def _plain(self, node: ast.AST, name: str) -> Iterator[Finding]:
        if name.startswith("__"):
            yield getattr(node, "lineno", 0), f"the name {name} is not allowed: it begins with two underscores"

    def _binding(self, node: ast.AST) -> Iterator[Finding]:
        name = None
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = node.name
        if name is None:
            return
        if name in self._modules or name in self._imported or name in self._words.decorators:
            yield getattr(node, "lineno", 0), f"{name} is imported and may not be bound again"
        if name == "self" and isinstance(node, ast.Name):
            yield node.lineno, "self may not be bound again"
        self._bound.add(name)

    # ---- what stands where

    def _top(self) -> Iterator[Finding]:
        for node in self._tree.body:
            docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if not isinstance(node, _TOP) and not docstring:
                yield node.lineno, "only imports, constants, functions and classes may stand at the top of the file"
        for inner in ast.walk(self._tree):
            if isinstance(inner, ast.ClassDef):
                yield from self._class(inner)
            if isinstance(inner, ast.Import | ast.ImportFrom) and inner not in self._tree.body:
                yield inner.lineno, "imports stand at the top of the file"

    def _class(self, node: ast.ClassDef) -> Iterator[Finding]:
        if node.keywords:
            yield node.lineno, "a class takes no keywords such as metaclass"
        for base in node.bases:
            if isinstance(base, ast.Name) and (base.id in self._imported or base.id in self._classes):
                continue
            if isinstance(base, ast.Attribute) and self._module_of(base.value) in self._words.bases:
                continue
            yield node.lineno, f"{ast.unparse(base)} may not be a base class"
        for part in node.body:
            docstring = isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
            fields = isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
            if isinstance(part, ast.FunctionDef):
                yield from self._method(part)
            elif isinstance(part, ast.AnnAssign) and fields:
                assert isinstance(part.target, ast.Name)
                yield from self._own_name(part, part.target.id)
            elif isinstance(part, ast.ClassDef):
                yield from self._own_name(part, part.name)
            elif not docstring and not isinstance(part, ast.Pass):
                yield part.lineno, "a class holds a docstring, annotated fields, methods and its Config, no more"

    def _method(self, node: ast.FunctionDef) -> Iterator[Finding]:
        if node.name != "__init__" and node.name not in self._words.overridable:
            yield from self._own_name(node, node.name)
        arguments = [*node.args.posonlyargs, *node.args.args]
        if arguments and arguments[0].arg == "self":
            inner = {n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == "self"}
            self._selves |= inner

    def _own_name(self, node: ast.AST, name: str) -> Iterator[Finding]:
        """A name that the file gives: new to all it could be asked of, so that no way is opened that is closed."""
        if name.startswith("_"):
            yield getattr(node, "lineno", 0), f"{name}: names of attributes may not begin with an underscore"
        elif name in self._words.taken() and name not in ("Config", "norm", "dropout", "config"):
            yield getattr(node, "lineno", 0), f"{name} is an attribute of torch or Python; choose another name"
        else:
            self._own.add(name)

    def _module_of(self, node: ast.AST) -> str | None:
        """Return the module that an expression such as ``torch.nn`` is, None for anything else."""
        if isinstance(node, ast.Name):
            return self._modules.get(node.id)
        if isinstance(node, ast.Attribute):
            outer = self._module_of(node.value)
            inner = f"{outer}.{node.attr}"
            return inner if outer and inner in self._words.modules else None
        return None

    def _walk(self) -> Iterator[Finding]:
        inside_module = {
            node.value
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Attribute) and self._module_of(node.value)
        }
        for node in ast.walk(self._tree):  # before attributes are read: methods may use what others set
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                yield from self._stored(node)
        annotations = self._annotations()
        for node in ast.walk(self._tree):
            line = getattr(node, "lineno", 0)
            if isinstance(node, ast.Name | ast.Attribute) and node not in annotations:
                yield from self._annotation_alone(node)
            if not isinstance(node, _NODES) or (isinstance(node, ast.ClassDef) and not self._words.classes):
                yield line, f"{_spoken(node)} is not allowed"
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                yield from self._loaded(node)
            elif isinstance(node, ast.Name):
                yield from self._name(node, inside_module)
            elif isinstance(node, ast.FunctionDef):
                yield from self._function(node)
            elif isinstance(node, ast.Call):
                yield from self._call(node)
            elif isinstance(node, ast.Constant) and not isinstance(node.value, _CONSTANTS):
                yield line, f"a constant of type {type(node.value).__name__} is not allowed"
            elif isinstance(node, ast.keyword) and (node.arg or "").startswith("_"):
                yield line, f"the keyword {node.arg} is not allowed"

    def _annotation_alone(self, node: ast.Name | ast.Attribute) -> Iterator[Finding]:
        name = self._origins.get(node.id) if isinstance(node, ast.Name) else None
        if isinstance(node, ast.Attribute):
            module = self._module_of(node.value)
            name = f"{module}.{node.attr}" if module else None
        if name in self._words.annotations:
            yield node.lineno, f"{name} may stand in annotations alone"

    def _stored(self, node: ast.Attribute) -> Iterator[Finding]:
        if not isinstance(node.value, ast.Name) or node.value not in self._selves:
            yield node.lineno, f"{ast.unparse(node)} may not be set: only attributes of self may"
        else:
            yield from self._own_name(node, node.attr)

    def _loaded(self, node: ast.Attribute) -> Iterator[Finding]:
        module = self._module_of(node.value)
        if module is not None:
            if node.attr not in self._words.modules[module] and f"{module}.{node.attr}" not in self._words.modules:
                yield node.lineno, f"{module}.{node.attr} is not allowed"
            return
        if node.attr == "__init__" and _is_super(node.value) and node in self._callees:
            return
        if node.attr not in self._words.attributes and node.attr not in self._own:
            yield node.lineno, f"the attribute {node.attr} is not allowed"

    def _name(self, node: ast.Name, inside_module: set[ast.expr]) -> Iterator[Finding]:
        if isinstance(node.ctx, ast.Load):
            if node.id in self._modules and node not in inside_module:
                yield node.lineno, f"the module {node.id} may only be used as in {node.id}.name"
            elif node.id in self._words.decorators and node not in self._decorators:
                yield node.lineno, f"{node.id} may only stand above a definition"
            elif node.id not in self._bound | self._imported | self._modules.keys() | self._words.builtins:
                yield node.lineno, f"the name {node.id} is not available"
        yield from self._plain(node, node.id)

    def _function(self, node: ast.FunctionDef) -> Iterator[Finding]:
        if node.name.startswith("__") and node.name != "__init__":
            yield node.lineno, f"{node.name} may not be defined"
        for decorator in node.decorator_list:
            if not (isinstance(decorator, ast.Name) and decorator.id in ("staticmethod", "property")):
                yield node.lineno, f"{ast.unparse(decorator)} may not stand above a function"
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            if argument.arg == "self" and not any(node in c.body for c in self.class_nodes()):
                yield node.lineno, "self is the first argument of a method, and of nothing else"

    def _annotations(self) -> set[ast.AST]:
        """Every node within an annotation."""
        found: list[ast.expr | None] = []
        for node in ast.walk(self._tree):
            if isinstance(node, ast.arg | ast.AnnAssign):
                found.append(node.annotation)
            elif isinstance(node, ast.FunctionDef):
                found.append(node.returns)
        return {inner for each in found if each is not None for inner in ast.walk(each)}

    def class_nodes(self) -> list[ast.ClassDef]:
        """Return every class of the file."""
        return [node for node in ast.walk(self._tree) if isinstance(node, ast.ClassDef)]

    def _call(self, node: ast.Call) -> Iterator[Finding]:
        if isinstance(node.func, ast.Name) and node.func.id == "super" and (node.args or node.keywords):
            yield node.lineno, "super takes no arguments here"


def _is_super(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _spoken(node: ast.AST) -> str:
    words = {"While": "a while loop", "Try": "try", "TryStar": "try", "Delete": "del", "Match": "match"}
    return words.get(type(node).__name__, type(node).__name__.lower())
