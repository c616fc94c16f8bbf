"""The house at a glance: rooms, modules a folder, lines, circles, the longest file, and the share of ``Any``.

``python -m benchmarks.rooms``; exit 1 if modules import each other in a circle or a file is longer than 400 lines.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = "synthcity"
LONGEST = 400


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Return every module of the package by its dotted name."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def imports(known: Mapping[str, Path]) -> dict[str, set[str]]:
    """Return which modules each one imports when it is loaded; lazy imports inside functions do not make a circle."""
    return {name: set(_imported(path, known)) - {name} for name, path in known.items()}


def _imported(path: Path, known: Set[str] | Mapping[str, Path]) -> Iterator[str]:
    todo: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                if submodule in known or node.module in known:
                    yield submodule if submodule in known else node.module
        todo += ast.iter_child_nodes(node)


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that reach each other (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(graph[name]):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return found


def count_any(paths: Iterable[Path]) -> int:
    """Return how often ``Any`` stands in the code, its imports left out."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in paths)
    return sum(isinstance(node, ast.Name) and node.id == "Any" for tree in trees for node in ast.walk(tree))


def main() -> int:
    """Print the house."""
    known = modules()
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in known.items()}
    folders: dict[Path, list[str]] = defaultdict(list)
    for name, path in known.items():
        folders[path.parent.relative_to(ROOT)].append(name)
    print(f"{'room':36} {'modules':>7} {'lines':>6} {'Any/1000':>8}")
    for folder, names in sorted(folders.items()):
        num_lines = sum(lines[name] for name in names)
        num_modules = sum(known[name].name != "__init__.py" for name in names)
        share = 1000 * count_any(known[name] for name in names) / max(1, num_lines)
        print(f"{folder!s:36} {num_modules:7} {num_lines:6} {share:8.1f}")
    longest = max(lines, key=lines.__getitem__)
    total = sum(lines.values())
    print(f"{'all':36} {len(known):7} {total:6} {1000 * count_any(known.values()) / total:8.1f}")
    print(f"longest file: {longest}, {lines[longest]} lines")
    twice = [name for name, count in Counter(path.name for path in known.values()).items() if count > 1]
    print(f"file names that stand twice: {', '.join(sorted(set(twice) - {'__init__.py', '__main__.py'})) or 'none'}")
    found = circles(imports(known))
    print(f"circles: {'; '.join(' <-> '.join(group) for group in found) or 'none'}")
    return 1 if found or lines[longest] > LONGEST else 0


if __name__ == "__main__":
    sys.exit(main())
