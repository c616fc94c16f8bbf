"""House rules that a machine can check: who imports whom, and how long a file may be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.rooms import circles, imports, modules

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "synthcity").rglob("*.py"))
WITHOUT_LOGIC = {
    "cluster/machines/machine.py",  # a record and a protocol
    "cluster/joining/transport.py",  # a record and a protocol
    "market/sources/source.py",  # protocols
    "pipeline/worlds/world.py",  # a protocol and a record
    "nets/authored/examples.py",  # two texts, which test_static and test_sandbox read
    "search/arms.py",  # words and a record
    "search/journal/events.py",  # types of events, which test_check holds
    "search/journal/parts.py",  # types of their parts
    "search/journal/surroundings.py",  # types of events, which test_check holds
    "search/report/model.py",  # types of the report
    "search/tracking/sinks/sink.py",  # types of records, and a protocol
    "serve/admission/refusal.py",  # an exception with its fields
    "serve/operations/facts.py",  # two records
}
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def test_rooms_import_only_what_lies_below_them() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LINT_IMPORTS, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(imports(modules())) == []


def test_a_circle_would_be_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_stays_under_400_lines(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) < 400


def test_every_module_has_its_tests_at_the_same_place() -> None:
    package, tests = ROOT / "synthcity", ROOT / "tests"
    paths = [path.relative_to(package) for path in MODULES if not path.name.startswith("__")]
    missing = {str(path) for path in paths if not (tests / path.parent / f"test_{path.name}").is_file()}
    assert missing == WITHOUT_LOGIC


def test_ci_runs_the_readmes_test_command_and_then_the_slow_suite() -> None:
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    (shown,) = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if "-m pytest" in line]
    *_, install, test = [part.strip() for part in shown.split("&&")]
    assert any(line.replace(" --quiet", "").removeprefix("python -m ") == install for line in ci)
    assert ci.index(test) < ci.index("python -m pytest -m slow -n 2 --dist loadfile")


def test_every_folder_stands_in_the_map() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    folders = {str(module.parent.relative_to(ROOT / "synthcity")) for module in MODULES} - {"."}
    assert [folder for folder in sorted(folders) if f"`{folder}`" not in text] == []


def test_no_folder_is_a_hall() -> None:
    """One block, head or command a file is many files and no hall; the root holds what belongs to no room."""
    free = {"synthcity", "cli", "blocks"}
    for folder in {module.parent for module in MODULES} - {ROOT / "synthcity"}:
        modules = [path for path in folder.glob("*.py") if path.name not in ("__init__.py", "__main__.py")]
        assert len(modules) <= 14 or folder.name in free, (folder, len(modules))
