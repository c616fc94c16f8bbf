"""``synthcity mine rehearse`` on a bare machine: from a signed prompt to a score, and nothing stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.serve.answering.answer_ledger import Fallback
from synthcity.serve.rehearsal.rehearse import MARK, _answered_by, rehearse

RUN = "from synthcity.cli.main import main; main()"


def test_assets_that_nobody_asks_for_are_refused_before_anything_starts():
    told: list[str] = []
    with pytest.raises(ConfigError, match="DOGE"):
        rehearse("fhs", assets=("DOGE",), tell=told.append)
    assert all(line.startswith(MARK) for line in told)


@pytest.mark.parametrize(
    ("fallback", "words"),
    [
        (None, ""),
        (Fallback.FOREIGN, ", by the fallback, since the model was not made for such prompts"),
        ("late", ", by the fallback, since: late"),
    ],
)
def test_an_answer_by_the_fallback_says_why_in_words(fallback: str | None, words: str) -> None:
    assert _answered_by(fallback) == words


@pytest.mark.slow
def test_a_prompt_is_answered_settled_and_scored_and_nothing_stays(tmp_path: Path):
    """Without a home, keys or a network; the temporary folder is empty afterwards."""
    scratch, home = tmp_path / "t", tmp_path / "home"
    scratch.mkdir()
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SYNTHCITY_", "BT_", "RAY_"))}
    environment = {**kept, "TMPDIR": str(scratch), "HOME": str(home), "HTTPS_PROXY": "http://127.0.0.1:9"}
    environment |= {
        "SYNTHCITY_ALARM_WEBHOOK": "http://127.0.0.1:9/s3cr3t",
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN, "mine", "rehearse"],
        check=False,
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith(MARK) for line in lines)
    scores = [line for line in lines if "basis points" in line]
    assert [line.split()[4] for line in scores] == ["crypto-24h", "crypto-1h"]
    assert all("by the fallback" not in line for line in scores)
    assert lines[-1].endswith("docs/mining.md leads from here to real ones")
    assert any("is refused (401)" in line for line in lines)
    assert any("2 answered, 1 refused" in line for line in lines)
    assert [path.name for path in scratch.iterdir() if path.name.startswith("synthcity-rehearsal")] == []
    assert list(home.iterdir()) == []
