"""Answering validators loads neither bittensor nor, of itself, Ray or torch."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import synthcity.serve.http.app, synthcity.serve.http.axon
import synthcity.serve.admission.admission, synthcity.serve.admission.nonces
print([name for name in ("bittensor", "torch", "ray") if name in sys.modules])
"""


def test_the_hot_path_loads_no_bittensor() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
