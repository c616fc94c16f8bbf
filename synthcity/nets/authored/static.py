"""Reading a block or head that a language model wrote, before any of it runs; see :mod:`synthcity.authored.reading`."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from synthcity.authored.reading import Finding, Reader, Refused, parse, refuse
from synthcity.authored.vocabulary import Vocabulary
from synthcity.nets.authored.options import Option, Plain, Unreadable
from synthcity.nets.authored.taken import taken_names
from synthcity.nets.authored.words import (
    ANNOTATIONS,
    ATTRIBUTES,
    BUILTINS,
    DECORATORS,
    MODULES,
    NAMES,
    OVERRIDABLE,
    REGISTER,
)

__all__ = ["PROPERTY", "Declared", "Refused", "read"]

PROPERTY = "stated_property"
_NAME = re.compile(r"[a-z][a-z0-9_]{2,31}")
_WORDS = Vocabulary(
    modules=MODULES,
    names=NAMES,
    attributes=ATTRIBUTES,
    builtins=BUILTINS,
    annotations=ANNOTATIONS,
    decorators=DECORATORS,
    overridable=OVERRIDABLE,
    bases=frozenset(["torch.nn"]),
    taken=taken_names,
    classes=True,
)


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What a file says that it registers, without being run.

    ``kind`` is "block" or "head", ``title`` the name of the class, ``doc`` its docstring, and ``options`` the fields of
    its ``Config``; see ``registry.Component`` for the rest.
    """

    kind: str
    name: str
    title: str
    doc: str
    options: tuple[Option, ...]
    causal: bool = False
    needs_seq_len: bool = False


@lru_cache(64)  # a process registers what it has just read
def read(source: str) -> Declared:
    """Check the text of a file.

    Raises:
        Refused: it says something that it may not; every finding has its line.
    """
    tree = parse(source)
    reader = Reader(tree, _WORDS)
    declaration = _Declaration(tree, reader.class_nodes())
    refuse([*reader.findings(), *declaration.findings()])
    assert declaration.declared is not None
    return declaration.declared


class _Declaration:
    """Looks for the one class that the file registers and the property that it states."""

    def __init__(self, tree: ast.Module, classes: list[ast.ClassDef]) -> None:
        self._tree, self._classes = tree, classes
        self.declared: Declared | None = None

    def findings(self) -> Iterator[Finding]:
        found = []
        for node in self._classes:
            for decorator in node.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                if not isinstance(called, ast.Name) or called.id not in DECORATORS:
                    yield node.lineno, f"{ast.unparse(decorator)} may not stand above a class"
                elif called.id in REGISTER:
                    found.append((node, called.id, decorator))
        if len(found) != 1 or found[0][0] not in self._tree.body:
            yield 1, f"a file registers one class at its top with register_block or register_head, not {len(found)}"
            return
        node, called_id, decorator = found[0]
        arguments = decorator.args if isinstance(decorator, ast.Call) else []
        name = arguments[0].value if len(arguments) == 1 and isinstance(arguments[0], ast.Constant) else None
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            yield node.lineno, "the registered name must be 3 to 32 characters of a-z, 0-9 and _, written as a text"
            return
        if not ast.get_docstring(node):
            yield node.lineno, f"{node.name} has no docstring, from which others learn what it is good for"
        configs = [part for part in node.body if isinstance(part, ast.ClassDef) and part.name == "Config"]
        if len(configs) != 1:
            yield node.lineno, f"{node.name} has no nested Config dataclass"
        stated = [f for f in self._tree.body if isinstance(f, ast.FunctionDef) and f.name == PROPERTY]
        if len(stated) != 1 or not ast.get_docstring(stated[0]) or len(stated[0].args.args) != 2:
            yield 1, f"the file states one property: a function {PROPERTY}(component, noise) with a docstring"
        try:
            plain = Plain(self._tree)
            options = plain.options(configs[0]) if configs else ()
            assert isinstance(decorator, ast.Call)  # it has a name
            flags = {str(flag.arg): plain.value(flag.value) for flag in decorator.keywords}
        except Unreadable as error:
            yield error.line, str(error)
            return
        if not all(isinstance(value, bool) for value in flags.values()):
            yield node.lineno, f"{called_id} takes the name, and of a block whether it is causal and needs_seq_len"
            return
        self.declared = Declared(
            kind=called_id.removeprefix("register_"),
            name=name,
            title=node.name,
            doc=inspect.cleandoc(ast.get_docstring(node) or ""),
            options=options,
            causal=flags.get("causal") is True,
            needs_seq_len=flags.get("needs_seq_len") is True,
        )
