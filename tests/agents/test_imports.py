"""What importing the agents loads: nothing that they can do without until they are asked to do something."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import synthcity.agents

HEAVY = ("torch", "ray", "optuna", "numpy", "pandas", "openai", "httpx", "httpx2", "jsonschema", "starlette", "uvicorn")
ROOT = "synthcity.agents."
MODULES = sorted(module.name for module in pkgutil.walk_packages(synthcity.agents.__path__, ROOT))
APART = {f"{ROOT}standin.app", f"{ROOT}standin.__main__"}  # the server itself


def loaded(modules: list[str]) -> str:
    code = f"import {', '.join(modules)}, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_all_agents_loads_nothing_heavy() -> None:
    assert len(MODULES) > 20
    assert loaded([name for name in MODULES if name not in APART]) == "[]"


def test_the_probe_sees_a_heavy_import() -> None:
    assert loaded([f"{ROOT}standin.app"]) == "['starlette']"
