"""What a file says of its options is read as Python would have it."""

from __future__ import annotations

import ast
import dataclasses

import pytest

from synthcity.nets.authored.examples import BLOCK
from synthcity.nets.authored.options import Plain, Unreadable
from synthcity.nets.authored.static import Refused, read
from synthcity.nets.parameters import Parameter, parameters_of

FILE = """
from synthcity.nets.parameters import boolean, choice, integer as whole, real

SIZES = (2, 2**3, -1 + 5)
LOW: float = 1 / 4
MIXED = [1]

class Block:
    class Config:
        width: int = choice(SIZES[0:1][0] if False else 2, SIZES, doc="width")
"""


def options(*fields: str) -> list[Parameter]:
    head = FILE.partition("        width")[0]
    tree = ast.parse(head + "".join(f"        {field}\n" for field in fields))
    owner = tree.body[-1]
    assert isinstance(owner, ast.ClassDef)
    config = owner.body[0]
    assert isinstance(config, ast.ClassDef)
    return list(
        parameters_of(dataclasses.make_dataclass("Config", [(n, object, f) for n, f in Plain(tree).options(config)]))
    )


def test_numbers_texts_tuples_arithmetic_and_constants_are_read() -> None:
    found = options(
        "a: int = choice(8, SIZES, doc='one')",
        "b: float = real(LOW * 2, low=LOW, high=+1.0, log=True, doc='two' )",
        "c: int = whole(-3 // 2, low=-(2), high=7 % 4, doc='three')",
        "d: bool = boolean(True, doc='four')",
        "e: str = choice('x', ('x', 'y'), doc='five')",
    )
    assert [(one.name, one.kind, one.default) for one in found] == [
        ("a", "choice", 8), ("b", "float", 0.5), ("c", "int", -2), ("d", "bool", True), ("e", "choice", "x"),
    ]  # fmt: skip
    assert found[0].choices == (2, 8, 4)
    assert (found[1].low, found[1].high, found[1].log, found[2].high) == (0.25, 1.0, True, 3)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("a: int = choice(2, MIXED, doc='')", "MIXED must be a number"),
        ("a: int = choice(2, tuple(SIZES), doc='')", "options are read, not run"),
        ("a: int = choice(SIZES[0], SIZES, doc='')", "options are read, not run"),
        ("a: int = whole(9**9**9, low=0, high=1, doc='')", "no number of an option"),
        ("a: int = whole('a' * 3, low=0, high=1, doc='')", "no number of an option"),
        ("a: int = whole(1 // 0, low=0, high=1, doc='')", "no number of an option"),
        ("a: float = real((-8) ** 0.5, low=0, high=1, doc='')", "no number of an option"),
        ("a: int = whole(5, low=0, high=1, doc='')", r"cannot be: Config.a is 5"),
        ("a: int = whole(0, low=0, doc='')", "cannot be: .*high"),
        ("a: int = whole(0, low='0', high=1, doc='')", "wrong kind"),
        ("a: float = real(1.0, low=0.0, high=2.0, doc=3)", "wrong kind"),
        ("a: int = choice(1, (1, None), doc='')", "wrong kind"),
        ("a: int = 5", "made by integer, real, choice or boolean"),
        ("a: int", "made by integer, real, choice or boolean"),
        ("a: int = other(5)", "made by integer, real, choice or boolean"),
    ],
)
def test_all_else_is_refused_with_its_line(field: str, text: str) -> None:
    with pytest.raises(Unreadable, match=text) as refused:
        options("b: bool = boolean(True, doc='b')", field)
    assert refused.value.line == 11


def test_a_refusal_of_the_file_says_so() -> None:
    with pytest.raises(Refused, match=r"line 25: max\(5, 3\) must be a number.*options are read, not run"):
        read(BLOCK.replace("choice(5, (3", "choice(max(5, 3), (3"))
    with pytest.raises(Refused, match="whether it is causal"):
        read(BLOCK.replace("causal=True", "causal=1"))
