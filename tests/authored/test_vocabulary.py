"""The list for files over NumPy alone: all of it exists, and none of it opens, starts, imports or evaluates."""

from __future__ import annotations

import builtins
import importlib

import numpy as np
import pytest

from synthcity.authored import history
from synthcity.authored.vocabulary import CONSTANT_CALLS, NUMPY

DANGEROUS = {
    "open_memmap", "memmap", "fromfile", "tofile", "load", "loads", "loadtxt", "genfromtxt", "fromregex", "fromstring",
    "frombuffer", "save", "savez", "savez_compressed", "savetxt", "dump", "dumps", "ctypeslib", "ctypes", "f2py", "lib",
    "testing", "random", "distutils", "data", "base", "setflags", "flags", "view", "tobytes", "empty", "empty_like",
    "getattr", "setattr", "eval", "exec", "compile", "open", "__import__", "type", "object", "vars", "globals",
    "locals", "set", "frozenset", "print", "input", "format", "format_map", "super", "property", "vectorize",
    "frompyfunc", "fromfunction", "apply_along_axis", "piecewise", "printoptions", "set_printoptions", "seterr",
    "seterrcall", "setbufsize", "core", "rec", "recarray", "char", "ma", "matrix", "DataSource", "as_strided",
    "byteswap", "newbyteorder", "getfield", "setfield", "put", "resize", "__array_interface__", "show_config", "info",
}  # fmt: skip


@pytest.mark.parametrize("module", [*NUMPY.modules, *NUMPY.names])
def test_what_may_be_taken_from_a_module_is_there(module: str) -> None:
    found = importlib.import_module(module)
    names = NUMPY.modules.get(module, frozenset()) | NUMPY.names.get(module, frozenset())
    assert {name for name in names if not hasattr(found, name)} == set()


def test_nothing_dangerous_is_on_a_list_but_a_bars_open() -> None:
    lists = (NUMPY.builtins, NUMPY.attributes, *NUMPY.modules.values(), *NUMPY.names.values())
    assert {name for each in lists for name in each} & DANGEROUS == {"open"}
    assert [each for each in lists if "open" in each] == [NUMPY.attributes]  # the column of that name


def test_builtins_and_attributes_exist() -> None:
    assert {name for name in NUMPY.builtins if not hasattr(builtins, name)} == set()
    ours = {
        name for kind in (history.Bars, history.Series, history.History, history.Noise) for name in kind.__annotations__
    }
    known = {name for kind in (np.ndarray, np.finfo, list, dict, str) for name in dir(kind)} | ours
    known |= {"eps", "tiny", "smallest_normal"}
    assert {name for name in NUMPY.attributes if name not in known} == set()
    assert ours <= NUMPY.attributes


def test_no_name_begins_with_an_underscore() -> None:
    lists = (NUMPY.builtins, NUMPY.attributes, *NUMPY.modules.values())
    assert [name for each in lists for name in each if name.startswith("_")] == []


def test_no_module_is_taken_from_another_that_is_not_listed_itself() -> None:
    for module, names in NUMPY.modules.items():
        for name in names:
            if type(getattr(importlib.import_module(module), name)).__name__ == "module":
                assert f"{module}.{name}" in NUMPY.modules


def test_what_makes_constants_changes_nothing() -> None:
    assert CONSTANT_CALLS & NUMPY.builtins <= {
        "float",
        "int",
        "bool",
        "str",
        "tuple",
        "abs",
        "min",
        "max",
        "round",
        "pow",
        "sum",
    }
