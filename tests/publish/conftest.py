from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # read when huggingface_hub is imported; the stand-in has no CAS
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

from tests.publish.proven import copy_run


@pytest.fixture
def proven(tmp_path: Path) -> Path:
    """A proven run of one's own."""
    return copy_run(tmp_path / "runs" / "proven")
