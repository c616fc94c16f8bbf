"""The files an operator copies name commands, options and versions that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.test_docs import test_shown_commands_name_real_commands_options_and_files as check

ROOT = Path(__file__).parents[1]
UNITS = sorted((ROOT / "deploy").glob("*.service"))
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_the_unit_runs_a_command_that_exists(unit: Path) -> None:
    (line,) = re.findall(r"^ExecStart=(.+)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    program, *words = line.split()
    assert program.endswith("/.venv/bin/synthcity")
    check(words)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("given", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_the_unit(given: Path, tmp_path: Path) -> None:
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", given.read_text(encoding="utf-8"), flags=re.MULTILINE)
    unit = tmp_path / given.name
    unit.write_text(text.replace("User=synthcity\n", ""))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert given.name not in done.stderr, done.stderr


def test_the_image_installs_what_is_pinned() -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    (torch,) = re.findall(r"torch==\S+", DOCKERFILE)
    assert torch in pins
    extras = re.findall(r"'\.\[(.+)\]'", DOCKERFILE)[0].split(",")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(extras) <= set(project["optional-dependencies"])
    for name in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE):
        for path in name.split():
            assert (ROOT / path).exists(), path
