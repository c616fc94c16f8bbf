"""What an import and ``--help`` load, each in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "ray", "httpx", "pandas")
REPORT = f"import sys; print([name for name in {HEAVY!r} if name in sys.modules])"
RUN_HELP = """
import sys
from synthcity.cli.main import main
sys.argv = ["synthcity", "--help"]
try:
    main()
except SystemExit as exit:
    assert exit.code == 0, exit.code
"""


def last_line(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


SETTLE = "from synthcity.cluster.job import settle"  # of every search, before its first line


@pytest.mark.parametrize("code", ["import synthcity", "from synthcity import Prompt, score", RUN_HELP, SETTLE])
def test_light_entrances_load_nothing_heavy(code: str) -> None:
    assert last_line(f"{code}\n{REPORT}") == "[]"


TYPOS = """
import sys
from synthcity.cli.main import main
for arguments in (
    ["search", "configs/quickstart.yaml", "--set", "search.trails=3"],
    ["experiment", "--set", "search.trails=3"],
    ["experiment", "--blokcs", "lstm"],
    ["quick", "--epochs", "3"],
    ["search", "configs/serve.yaml"],
    ["serve", "--confg", "x"],
    ["mine", "run", "fhs", "--data", "x", "--patience", "90"],
    ["backtest", "fhs", "--data", "x", "--from", "2025-13-01"],
):
    sys.argv = ["synthcity", *arguments]
    try:
        main()
    except SystemExit as exit:
        assert exit.code == 2, (arguments, exit.code)
    assert not {"torch", "ray"} & set(sys.modules), arguments
print("told")
"""


def test_a_typo_is_told_before_torch_and_ray_are_loaded() -> None:
    assert last_line(TYPOS) == "told"


def test_the_package_is_a_command() -> None:
    done = subprocess.run([sys.executable, "-m", "synthcity", "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: python -m synthcity [OPTIONS] COMMAND" in done.stdout


def test_the_probe_sees_a_heavy_import() -> None:
    assert last_line(f"import httpx\n{REPORT}") == "['httpx']"


def test_lazy_names_resolve_and_others_do_not() -> None:
    import synthcity
    from synthcity.sn50.scoring import score

    assert synthcity.score is score
    with pytest.raises(AttributeError, match="no attribute 'scores'"):
        _ = synthcity.scores
