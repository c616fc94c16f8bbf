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


@pytest.mark.parametrize("code", ["import synthcity", "from synthcity import Prompt, score", RUN_HELP])
def test_light_entrances_load_nothing_heavy(code: str) -> None:
    assert last_line(f"{code}\n{REPORT}") == "[]"


def test_the_probe_sees_a_heavy_import() -> None:
    assert last_line(f"import httpx\n{REPORT}") == "['httpx']"


def test_lazy_names_resolve_and_others_do_not() -> None:
    import synthcity
    from synthcity.sn50.scoring import score

    assert synthcity.score is score
    with pytest.raises(AttributeError, match="no attribute 'scores'"):
        _ = synthcity.scores
