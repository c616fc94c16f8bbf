"""What a component could keep from one call to the next."""

from __future__ import annotations

import ast

import pytest

from synthcity.authored.between_calls import BetweenCalls


def findings(source: str) -> list[str]:
    tree = ast.parse(source)
    selves = {node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "self"}
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}

    def module_of(node: ast.expr) -> str | None:
        return "math" if isinstance(node, ast.Name) and node.id == "math" else None

    return [f"{line}: {text}" for line, text in BetweenCalls(tree, selves, classes, module_of).findings()]


@pytest.mark.parametrize(
    "source",
    [
        "RATE = 0.5",
        "SIZES = (1, 2, *(3, 4))",
        "ROOT = math.sqrt(2) if True else -1",
        "WIDTH = max(1, int(2.5))",
        "NAME: str = 'x'",
        "def f(x, y=(1, 2), *, z=None): return x",
        "class A:\n    rate: float = 0.5\n    def __init__(self):\n        self.rows = []",
        "class A:\n    def forward(self, x):\n        y = x\n        y[0] = 1\n        return y",
        "class A:\n    def forward(self, x):\n        return isinstance(x, A)",
    ],
)
def test_what_nothing_changes_is_fine(source: str) -> None:
    assert findings(source) == []


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("SEEN = []", "1: a constant must be"),
        ("SEEN: dict = {}", "1: a constant must be"),
        ("SEEN = (1, [2])", "1: a constant must be"),
        ("SEEN = list((1, 2))", "1: a constant must be"),
        ("ROOT = torch.sqrt(2)", "1: a constant must be"),
        ("def f(x, seen=[]): return x", "1: a default must be"),
        ("def f(x, *, seen={}): return x", "1: a default must be"),
        ("f = (lambda x, seen=[]: x)", "1: a default must be"),
        ("class A:\n    rows: list = [1]", "2: a field's default must be"),
        ("class A:\n    def forward(self, x):\n        self.count = 1", "3: self.count may be set in __init__ alone"),
        ("class A:\n    def forward(self, x):\n        self.count += 1", "3: self.count may be set in __init__ alone"),
        ("class A:\n    def mix(self, x):\n        self.a.b[0] = x", "3: self.a.b[0] may be set in __init__ alone"),
        ("class A: pass\ndef f(x): return isinstance(x, int)", "2: isinstance may stand in classes alone"),
        ("class A: pass\ndef f(x): return x is A", "2: A may stand in classes alone"),
    ],
)
def test_what_could_remember_is_found_with_its_line(source: str, finding: str) -> None:
    assert any(text.startswith(finding) for text in findings(source)), findings(source)
