"""``synthcity library``."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from synthcity.cli.library import command
from synthcity.errors import ConfigError
from synthcity.research.labbook import Origin
from synthcity.research.library import add
from tests.research.test_library import RECIPE, evidence


def library(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_a_library_without_anything_says_where_it_comes_from(tmp_path: Path) -> None:
    result = library("list", "--library", tmp_path)
    assert result.exit_code == 0
    assert "holds nothing" in result.stdout


def test_a_person_lists_reads_promotes_and_drops(tmp_path: Path) -> None:
    name = add(tmp_path, "cycle(37,2)", RECIPE, evidence()).stem
    written = add(tmp_path, "seven_hours", Origin(source="import numpy as np"), evidence()).stem
    listed = library("list", "--library", tmp_path).stdout
    assert {tuple(line.split()[:2]) for line in listed.splitlines()[1:]} == {(name, "kept"), (written, "kept")}
    assert listed.splitlines()[0].split()[-2:] == ["asked", "before"]
    assert "too few days for an interval" in listed
    assert '"hours": 37.0' in library("show", name, "--library", tmp_path).stdout
    assert library("show", written, "--library", tmp_path).stdout.endswith("import numpy as np\n")
    assert library("promote", name, "--reason", "read it", "--library", tmp_path).exit_code == 0
    assert library("drop", written, "--reason", "an artefact", "--library", tmp_path).exit_code == 0
    listed = library("list", "--library", tmp_path).stdout
    told = {tuple(line.split()[:2]) for line in listed.splitlines()[1:]}
    assert told == {(name, "promoted"), (written, "dropped")}
    forecaster = add(tmp_path, "swing", Origin(forecaster="import numpy as np"), evidence()).stem
    kinds = {
        line.split()[0]: line.split()[2] for line in library("list", "--library", tmp_path).stdout.splitlines()[1:]
    }
    assert kinds == {name: "input", written: "input", forecaster: "forecaster"}
    assert '"origin": "forecaster"' in library("show", forecaster, "--library", tmp_path).stdout
    unknown = library("show", "nobody", "--library", tmp_path)
    assert isinstance(unknown.exception, ConfigError)
    assert library("drop", name, "--library", tmp_path).exit_code == 2  # without a reason
