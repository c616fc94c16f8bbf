"""docs/extending.md, as it stands there: every part of its distribution is found, used and kept."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

import synthcity
from synthcity import testing
from synthcity.agents.prompts import render
from synthcity.cli.main import cli
from synthcity.errors import ConfigError
from synthcity.market.sources.external import find_source
from synthcity.market.store import open_store
from synthcity.search.candidates.space import Space
from synthcity.search.proposers import make_arms
from synthcity.search.roles import find_role
from synthcity.serve.chain.__main__ import main as chain
from synthcity.settings import Settings
from synthcity.sn50.competitions import get_rules
from tests.outside import on_path, write_distribution

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
FILES = {
    name.removesuffix(".py"): code
    for name, code in re.findall(r"```python\n# (lab_\w+\.py)\n(.*?)```", TEXT, re.DOTALL)
}
PROJECT = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)[1]  # type: ignore[index]


def points() -> dict[str, dict[str, str]]:
    groups = tomllib.loads(PROJECT)["project"]["entry-points"]
    return {group.removeprefix("synthcity."): named for group, named in groups.items()}


@pytest.fixture(scope="module", autouse=True)
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files of the page, beside what pip would write for them."""
    assert sorted(FILES) == sorted(tomllib.loads(PROJECT)["tool"]["setuptools"]["py-modules"])
    with on_path(write_distribution(tmp_path_factory.mktemp("lab"), "my-lab", FILES, points())) as folder:
        yield folder


def test_the_page_shows_every_kind_that_there_is() -> None:
    assert sorted(points()) == sorted(synthcity.plugins.KINDS)


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (testing.check_block, "ema"),
        (testing.check_head, "plain_normal"),
        (testing.check_forecaster, "driftless"),
        (testing.check_proposer, "small"),
    ],
)
def test_what_it_shows_keeps_the_contract(check: Any, name: str) -> None:
    check(name)


def test_a_source_fills_a_store_of_its_own_kind(tmp_path: Path) -> None:
    testing.check_source("lab", asset="BTC", resolution=300, start="2025-03-01", end="2025-03-04")
    store = f"lab://{tmp_path / 'prices.sqlite'}"
    command = ["data", "download", "--source", "lab", "--assets", "BTC,ETH", "--resolution", "5m", "--store", store]
    done = CliRunner().invoke(cli, [*command, "--start", "2025-03-01", "--end", "2025-05-30"], catch_exceptions=False)
    assert "BTC 5m (lab): 25,920 new bars" in done.output
    again = CliRunner().invoke(cli, [*command, "--start", "2025-03-01", "--end", "2025-05-30"], catch_exceptions=False)
    assert "BTC 5m (lab): 0 new bars" in again.output
    told = CliRunner().invoke(cli, ["data", "info", "--store", store], catch_exceptions=False).output
    assert told.count("100.00%") == 2
    arguments = [
        "driftless",
        "lab_forecaster:Driftless",
        "fhs",
        "--data",
        store,
        "--from",
        "2025-05-25",
        "--rules",
        "2026-12-lab",
    ]
    done = CliRunner().invoke(cli, ["backtest", *arguments, "--num-paths", "20"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "rules 2026-12-lab" in done.output
    assert re.search(r"^driftless .*^lab_forecaster:Driftless ", done.output, re.DOTALL | re.MULTILINE)
    changed = ["SOL" if word == "BTC,ETH" else word for word in command]
    with pytest.raises(ConfigError, match="the lab has bars of 1m and 5m of BTC, ETH, not 300 s of SOL"):
        CliRunner().invoke(cli, [*changed, "--start", "2025-03-01"], catch_exceptions=False)
    with pytest.raises(ConfigError, match="unknown source 'labb'; did you mean 'lab'"):
        find_source("labb", Settings())
    with pytest.raises(ConfigError, match="unknown kind of store 'lob'; did you mean 'lab'"):
        open_store("lob://prices")


def test_a_store_that_is_none_is_refused(lab: Path) -> None:
    wrong = write_distribution(lab / "wrong", "lab-wrong", {}, {"stores": {"wrong": "pathlib:PurePath"}})
    with on_path(wrong), pytest.raises(ConfigError, match=r"store wrong of lab-wrong 0\.1 is no PriceStore but Pure"):
        open_store("wrong://prices")


def test_rules_have_a_name_and_the_default_stays() -> None:
    assert get_rules("2026-12-lab").coefficient("BTC") == 2.0
    assert get_rules().date != "2026-12-lab"
    with pytest.raises(ValueError, match="unknown rules '2026-12-lap'; did you mean '2026-12-lab'"):
        get_rules("2026-12-lap")
    ones = np.ones((5, 61))
    assert synthcity.score(ones, ones[0], "crypto-1h", rules="2026-12-lab").total == 0.0


def test_a_proposer_is_an_arm() -> None:
    space = Space.from_registry()
    assert "ema" in space.blocks
    assert "plain_normal" in space.heads
    arm = make_arms(["small"], space)["small"]
    proposals = arm.propose(3, synthcity.search.journal.history.TrialHistory(), np.random.default_rng(0))
    assert {proposal.config["d_model"] for proposal in proposals} == {16}


def test_a_role_is_found_with_its_prompt() -> None:
    role = find_role("counter")
    prompt = render(role.prompt, role.values(None), role.fragments)  # type: ignore[arg-type]
    assert prompt.text.startswith("You count the trials of a search, and nothing else.")
    assert prompt.version.startswith("counter@")
    with pytest.raises(ConfigError, match="unknown agent 'countre'; did you mean 'counter'"):
        find_role("countre")
    with pytest.raises(ValueError, match="there is no packaged fragment 'datum'; write its text instead"):
        render("counter", {}, ("datum",))


def test_a_chain_is_opened_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthcity.serve.chain.__main__.follow", _once)
    file = tmp_path / "metagraph.json"
    done = CliRunner().invoke(chain, ["--adapter", "lab", "--metagraph", str(file)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert json.loads(file.read_text())["netuid"] == 50
    wrong = CliRunner().invoke(chain, ["--adapter", "lap", "--metagraph", str(file)])
    assert "'lap' is no chain adapter" in wrong.output


def _once(opened: Any, path: Path, **options: Any) -> None:
    opened.snapshot().write(path)


def test_a_command_is_listed_without_being_imported_and_runs(lab: Path) -> None:
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom synthcity.cli.main import cli\n"
        "print(CliRunner().invoke(cli, ['--help']).output)\nassert 'lab_command' not in sys.modules\n"
        "print(CliRunner().invoke(cli, ['greet', 'you']).output)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"greet +\(from my-lab 0\.1\)", done.stdout)
    assert "hello you" in done.stdout
    wrong = write_distribution(lab / "no", "lab-no", {}, {"commands": {"nothing": "pathlib:Path"}})
    with on_path(wrong), pytest.raises(ConfigError, match=r"command nothing of lab-no 0\.1 must be a click\.Command"):
        cli.get_command(click.Context(cli), "nothing")
