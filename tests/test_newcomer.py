"""A newcomer: what docs/extending.md shows, outside the repository, installed by pip, searched, bundled and served."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.ports import free_ports
from tests.test_extending import FILES, PROJECT, ROOT
from tests.waiting import until

pytestmark = pytest.mark.slow

SWEEP = """
competition: crypto-24h
data:
  path: prices
  assets: [BTC]
  periods: {train: [2025-02-15, 2025-03-10], validation: [2025-03-10, 2025-03-20], test: [2025-03-20, 2025-04-05]}
  validation_every: 22h
  test_every: 22h
search:
  trials: 2
  rungs: 1
  max_steps: 6
  workers: 1
  max_blocks: 1
  finalists: 1
  final_seeds: 1
  candidates: [{d_model: 16, history: 24, blocks: [{name: ema}], head: {name: plain_normal}}]
  arms: {small: {share: 1.0}}
"""
SYNTHCITY = ["-c", "from synthcity.cli.main import main; main()"]
LONGEST = 200  # seconds for one command, so that one that hangs fails here
Run = Callable[..., str]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the newcomer's, with a Python of its own in which the distribution is installed."""
    folder = tmp_path_factory.mktemp("newcomer")
    home = folder / "my-lab"
    home.mkdir()
    (home / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    for name, code in FILES.items():
        (home / f"{name}.py").write_text(code, encoding="utf-8")
    venv.create(folder / "python", with_pip=False)
    python = folder / "python" / "bin" / "python"
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]
    site = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    # what synthcity needs is there already; nothing is fetched
    Path(site, "parent.pth").write_text(f"{ROOT}\n{sysconfig.get_paths()['purelib']}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index"]
    done = subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "-e", str(home)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "RAY_ADDRESS")}


@pytest.fixture(scope="module")
def run(lab: Path) -> Run:
    def command(*words: str) -> str:
        asked = [str(lab / "python/bin/python"), *SYNTHCITY, *words]
        done = subprocess.run(asked, cwd=lab, env=clean(), capture_output=True, text=True, check=False, timeout=LONGEST)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return command


@pytest.fixture(scope="module")
def prices(run: Run) -> str:
    words = ["data", "download", "--source", "lab", "--assets", "BTC", "--store", "prices"]
    run(*words, "--resolution", "1m", "--start", (datetime.now(UTC) - timedelta(days=2)).date().isoformat())
    return run(*words, "--resolution", "5m", "--start", "2025-01-01")


def test_it_is_searched_with_its_blocks_heads_and_proposers(lab: Path, run: Run, prices: str) -> None:
    assert "BTC 5m (lab)" in prices
    (lab / "sweep.yaml").write_text(SWEEP, encoding="utf-8")
    run("search", "sweep.yaml")
    report = json.loads((lab / "runs" / "sweep" / "report.json").read_text(encoding="utf-8"))
    by_source = {trial["source"]: trial for trial in report["trials"]}
    assert sorted(by_source) == ["defaults", "small"]
    assert by_source["defaults"]["architecture"].startswith("ema>plain_normal")
    assert all(trial["score"] is not None for trial in report["trials"])
    assert report["versions"]["my-lab"] == "0.1"


def test_it_is_backtested_bundled_and_served(lab: Path, run: Run, prices: str) -> None:
    told = run("backtest", "driftless", "fhs", "--data", "prices", "--from", "2025-05-20", "--to", "2025-05-25")
    assert "driftless" in told
    run("combine", "bundles/lab", "crypto-24h:BTC=driftless", "crypto-24h=fhs")
    required = json.loads((lab / "bundles/lab/members/0/members/0/config.json").read_text())["requires"]
    assert [(one["name"], one["distribution"], one["version"]) for one in required] == [("driftless", "my-lab", "0.1")]
    with serving(lab, "bundles/lab") as url:
        question = {"asset": "BTC", "num_simulations": 10}
        answer = httpx.post(f"{url}/simulate", json=question, timeout=60, trust_env=False)
    assert answer.status_code == 200, answer.text
    paths = answer.json()
    assert paths["forecaster"].startswith("lab")
    assert len(paths["paths"]) == 10


@contextlib.contextmanager
def serving(lab: Path, bundle: str) -> Iterator[str]:
    """Serve a bundle from the newcomer's folder until the end of the block, which must end well."""
    (port,) = free_ports(1)
    words = ["serve", bundle, "--data", "prices", "--port", str(port), "--replicas", "1", "--metrics-port", "0"]
    asked, told = [str(lab / "python/bin/python"), *SYNTHCITY, *words], lab / "serve.log"
    with (
        told.open("wb") as log,
        subprocess.Popen(asked, cwd=lab, env=clean(), stdout=log, stderr=log) as process,
    ):
        try:
            until(lambda: "\nserving " in told.read_text() or process.poll() is not None, seconds=LONGEST)
            assert process.poll() is None, told.read_text()
            yield f"http://127.0.0.1:{port}"
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, told.read_text()
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(60)
                process.kill()


def test_a_bundle_tells_who_lacks_the_distribution_what_to_install(lab: Path, run: Run, prices: str) -> None:
    run("combine", "bundles/other", "crypto-24h=driftless")
    code = "import synthcity; synthcity.load('bundles/other', trust_code=True)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=lab,
        env=clean() | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST,
    )
    assert done.stderr.strip().endswith(
        "needs the forecaster driftless of my-lab 0.1, which is not installed: pip install my-lab==0.1"
    )


def test_a_module_in_the_working_directory_does_as_well(lab: Path, run: Run, prices: str) -> None:
    (lab / "mine_alone.py").write_text(FILES["lab_block"], encoding="utf-8")
    (lab / "alone.yaml").write_text(SWEEP, encoding="utf-8")
    told = run("experiment", "alone.yaml", "--blocks", "mine_alone:Ema", "--steps", "6", "--set", "d_model=16")
    assert "mine_alone:Ema>gbm" in told
    report = json.loads((lab / "runs" / "experiment" / "report.json").read_text(encoding="utf-8"))
    assert report["trials"][0]["score"] is not None
