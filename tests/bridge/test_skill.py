"""The skill: its form, and every line of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from synthcity.bridge.registry import operations
from synthcity.bridge.skill import curl_line, skill_text, write_skill
from synthcity.errors import ConfigError
from tests.bridge.conftest import Running
from tests.bridge.jobs.builders import Launched

LINES = [line for block in re.findall(r"```bash\n(.*?)```", skill_text(), re.S) for line in block.strip().splitlines()]


def test_the_front_matter_is_what_hosts_read(tmp_path: Path) -> None:
    skill = write_skill(tmp_path / "skills")
    text = (skill / "SKILL.md").read_text()
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["name"] == skill.name == "synthcity"
    assert len(front["description"]) < 200
    told = front["metadata"]["openclaw"]
    declared = {one["name"] for one in told["envVars"]}
    assert declared == set(re.findall(r"\$\{?([A-Z_]+)", text))
    assert {one["name"] for one in told["envVars"] if one["required"]} == set(told["requires"]["env"])
    assert told["primaryEnv"] in declared
    assert len(text) < 40_000
    assert json.loads((skill / "mcp.json").read_text())["mcpServers"]["synthcity"]["args"] == ["mcp"]


def test_every_operation_is_taught_with_all_that_it_takes() -> None:
    text = skill_text()
    for name, operation in operations().items():
        section = text.split(f"### {name}\n")[1].split("\n### ")[0]
        assert operation.about in section
        for field in operation.takes.model_fields:
            assert f"`{field}`" in section, (name, field)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_every_line_does_what_it_says(bridge: Running, launched: Launched) -> None:
    environment = {"SYNTH_BRIDGE_URL": bridge.url, "BRIDGE_API_KEY": bridge.key, "SYNTH_BOT_ID": "default"}
    assert {curl_line(one) for one in operations().values()} == set(LINES)
    job = ""
    for line in sorted(LINES, key=lambda line: ("JOB_ID" in line, "/resume" in line)):
        if "X-API-Key" in line and "/stop" not in line:
            launched.end_all()  # there is room again, and what was stopped may go on
        done = subprocess.run(
            ["sh", "-c", line.replace("JOB_ID", job)], env=environment, capture_output=True, text=True, check=False
        )
        told = json.loads(done.stdout)
        if any(part in line for part in ("/miner/", "/rounds/", "/model-card")):  # there is none of them
            assert any(word in told["error"] for word in ("miner", "pipeline", "no repository is named"))
            continue
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        job = told["id"] if "state" in told else job
    launched.end_all()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write"):
        write_skill(tmp_path / "file")
