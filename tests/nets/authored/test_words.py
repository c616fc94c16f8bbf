"""The lists of what may be named: all of it exists, and none of it opens, starts, imports or evaluates."""

from __future__ import annotations

import builtins
import importlib

import pytest

from synthcity.authored.vocabulary import CONSTANT_CALLS
from synthcity.nets.authored import words

DANGEROUS = {
    "open", "exec", "compile", "getattr", "setattr", "delattr", "globals", "locals", "vars", "type", "object", "input",
    "breakpoint", "memoryview", "print", "__import__", "load", "save", "hub", "ops", "utils", "jit", "empty", "apply",
    "from_file", "frombuffer", "set_default_dtype", "manual_seed", "data", "storage", "numpy", "register_forward_hook",
    "state_dict", "load_state_dict", "share_memory_", "set_", "resize_", "backward", "grad_fn", "format", "mro",
    "ParameterDict", "ModuleDict",
}  # fmt: skip


@pytest.mark.parametrize("module", [*words.MODULES, *words.NAMES])
def test_what_may_be_taken_from_a_module_is_there(module: str) -> None:
    found = importlib.import_module(module)
    names = words.MODULES.get(module, frozenset()) | words.NAMES.get(module, frozenset())
    assert {name for name in names if not hasattr(found, name)} == set()


def test_builtins_are_builtins() -> None:
    assert {name for name in words.BUILTINS if not hasattr(builtins, name)} == set()


@pytest.mark.parametrize("name", sorted(DANGEROUS))
def test_nothing_dangerous_is_on_a_list(name: str) -> None:
    lists = (words.BUILTINS, words.ATTRIBUTES, *words.MODULES.values(), *words.NAMES.values())
    assert not any(name in each for each in lists)


def test_eval_is_a_method_of_networks_and_no_function() -> None:
    assert "eval" in words.ATTRIBUTES
    assert not any("eval" in each for each in (words.BUILTINS, *words.MODULES.values(), *words.NAMES.values()))


def test_no_name_begins_with_an_underscore() -> None:
    lists = (words.BUILTINS, words.ATTRIBUTES, words.OVERRIDABLE, *words.MODULES.values())
    assert [name for each in lists for name in each if name.startswith("_")] == []


def test_no_module_is_taken_from_another_that_is_not_listed_itself() -> None:
    for module, names in words.MODULES.items():
        for name in names:
            value = getattr(importlib.import_module(module), name)
            if type(value).__name__ == "module":
                assert f"{module}.{name}" in words.MODULES, f"{module}.{name}"


def test_decorators_and_constant_calls_may_be_named() -> None:
    declared = words.NAMES["synthcity.nets.parameters"] | words.NAMES["synthcity.nets.registry"]
    assert words.REGISTER <= words.DECORATORS <= words.BUILTINS | declared | words.NAMES["dataclasses"]
    assert words.BUILTINS | declared | {"round"} >= CONSTANT_CALLS
    assert all(name in words.MODULES["torch"] for name in ("Tensor", "Generator"))
