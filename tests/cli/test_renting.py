"""`synthcity cluster` with rented nodes, up to the start of a head, against the market's stand-in by the real clock."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from synthcity.cli.main import cli
from synthcity.cluster import renting
from synthcity.errors import ConfigError, RentError, RunError, SynthcityError
from synthcity.rent import LEDGER, Ledger, comparing, lessor
from synthcity.vault.folder import FolderVault
from tests.cluster.test_head import block, dashboard_of
from tests.rent.builders import NAME, rental
from tests.standins.account import OFFERS_NOW
from tests.standins.market import Running

FILE = """name: syntha
head: {{ports: {ports}, dashboard: {dashboard}}}
nodes:
  gpu: {{market: basilica, gpus: [A100, RTX A6000], cpus: 4, max_nodes: 2, max_hourly_rate: 1.50}}
limits: {{hourly: 2.50, spend: 20}}
storage: s3://bucket/syntha
"""


@pytest.fixture
def server(server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """A market by the real clock, and a vault that takes what it is given."""
    monkeypatch.setattr(renting, "open_vault", lambda *_: FolderVault(tmp_path / "vault"))
    for name in ("HIPPIUS_ACCESS_KEY", "HIPPIUS_SECRET_KEY"):
        monkeypatch.setenv(name, "hip_of_nobody")
    monkeypatch.setattr(comparing, "SETTLE", 1.0)  # lists of this market do not lag
    monkeypatch.setattr(lessor, "EVERY", 1.1)
    return server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.yaml"
    ports = block(2)
    path.write_text(FILE.format(ports=ports, dashboard=dashboard_of(ports)))
    return path


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["cluster", *map(str, words)])


def up(file: Path, *words: str) -> Result:
    return invoke("up", file, "--state", "state", *words)


def beats(server: Running, *, ago: float = 1.0, older: float = 43_200.0) -> None:
    Path("state").mkdir(exist_ok=True)
    beat = {"time": time.time() - ago, "url": server.url, "older": older}
    Path("state/reaper.json").write_text(json.dumps(beat))


def test_check_tells_what_it_may_cost_and_asks_nobody(server: Running, file: Path) -> None:
    assert invoke("check", file).output.splitlines() == [
        "syntha: up to 2 nodes 'gpu' of 4 CPUs and 1 A100 or RTX A6000 (basilica, at most 1.50 USD an hour each)",
        "syntha: all together at most 2.50 USD an hour, and 20.00 USD in the cluster's life",
    ]
    assert server.state()["asked"] == []


def test_the_environment_bounds_what_a_file_says(server: Running, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASILICA_MAX_HOURLY_RATE", "0.85")
    monkeypatch.setenv("BASILICA_ALLOWED_GPU_TYPES", "RTX A6000")
    for name in ("BASILICA_API_TOKEN", "HIPPIUS_ACCESS_KEY", "HIPPIUS_SECRET_KEY"):
        monkeypatch.setenv(name, "")
    assert invoke("check", file).output.splitlines()[2:] == [
        "gpu: at most 0.85 USD an hour for a machine and not 1.50, by BASILICA_MAX_HOURLY_RATE",
        "gpu: RTX A6000 alone, by BASILICA_ALLOWED_GPU_TYPES",
        "BASILICA_API_TOKEN is not set; `synthcity cluster up` needs it",
        "HIPPIUS_ACCESS_KEY is not set; `synthcity cluster up` needs it",
        "HIPPIUS_SECRET_KEY is not set; `synthcity cluster up` needs it",
    ]
    assert len(json.loads(invoke("check", file, "--json").output)["bounds"]) == 5
    monkeypatch.setenv("BASILICA_ALLOWED_GPU_TYPES", "H100")
    refused = invoke("check", file).exception
    assert isinstance(refused, ConfigError)
    assert "allows H100, but gpu wants A100, RTX A6000" in str(refused)


def test_a_dry_run_tells_the_cheapest_offer_and_what_it_may_cost(server: Running, file: Path) -> None:
    done = up(file, "--dry-run")
    assert done.exit_code == 0, f"{done.output}{done.exception}"
    comments = [line.removeprefix("# ") for line in done.output.splitlines() if line.startswith("# ")]
    assert comments[:2] == [
        "gpu: the cheapest is opal-a6000-x1 (1 RTX A6000) at 0.80 USD an hour, of 1.50 that one may cost",
        "syntha: all together at most 2.50 USD an hour, and 20.00 USD in the cluster's life, of which 0.00 are spent",
    ]
    assert comments[2].startswith("`up` would refuse: no reaper has reported in state/reaper.json")
    assert yaml.safe_load(done.output)["available_node_types"]["gpu"]["resources"] == {"CPU": 4, "GPU": 1}
    assert server.names() == []
    assert {line.partition(" ")[0] for line in server.state()["asked"]} == {"GET"}
    assert not Path("state").exists()  # neither a key nor a ledger
    beats(server)
    told = json.loads(up(file, "--dry-run", "--json").output)["renting"]
    assert told["prospects"][0]["offer"] == {"id": "opal-a6000-x1", "hourly_usd": "0.80"}
    assert not any("refuse" in line for line in told["lines"])


def test_what_one_machine_may_cost_is_bounded_by_what_all_may(server: Running, file: Path) -> None:
    file.write_text(file.read_text().replace("hourly: 2.50", "hourly: 0.60"))
    line = up(file, "--dry-run").output.splitlines()[0]
    assert "costs at most 0.60 USD an hour for gpu: the cheapest costs 0.80 USD an hour" in line


def test_a_cluster_that_has_cost_all_that_it_may_is_not_started(server: Running, file: Path) -> None:
    beats(server)
    ledger = Ledger(Path("state/syntha") / LEDGER)
    ledger.write(rental(state="gone", hourly=Decimal("1.00"), started=0.0, asked=0.0, ended=20 * 3600.0))
    ledger.close()
    refused = up(file).exception
    assert isinstance(refused, ConfigError)
    assert str(refused) == (
        "the cluster syntha has cost 20.00 USD of the 20.00 that limits.spend allows in its life; raise that, or "
        "choose another name"
    )
    assert f"# `up` would refuse: {refused}" in up(file, "--dry-run").output.splitlines()
    assert not Path("state/syntha/head.log").exists()


def test_a_dry_run_says_that_nothing_is_cheap_enough(server: Running, file: Path) -> None:
    server.set(offers={"gpu": [{**one, "hourly_rate_per_gpu": "7.00"} for one in OFFERS_NOW], "cpu": []})
    line = up(file, "--dry-run").output.splitlines()[0]
    assert "the cheapest costs 7.00 USD an hour; `up` waits for a cheaper one and asks again every minute" in line


@pytest.mark.parametrize("beat", [None, {"ago": 301.0}, {"older": 600.0}])
def test_nothing_is_rented_where_nobody_would_end_it(
    server: Running, file: Path, beat: dict[str, float] | None
) -> None:
    if beat is not None:
        beats(server, **beat)
    refused = up(file).exception
    assert isinstance(refused, ConfigError)
    assert "reaper" in str(refused)
    assert not Path("state/syntha/head.log").exists()


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("BASILICA_API_TOKEN", "", "BASILICA_API_TOKEN is not set"),
        ("BASILICA_API_TOKEN", "basilica_other", "does not accept BASILICA_API_TOKEN"),
        ("BASILICA_MAX_HOURLY_RATE", "1,5", "BASILICA_MAX_HOURLY_RATE must be USD an hour"),
        ("BASILICA_MAX_HOURLY_RATE", "0", "BASILICA_MAX_HOURLY_RATE must be USD an hour"),
        ("BASILICA_ALLOWED_GPU_TYPES", "H100", "allows H100, but gpu wants A100"),
    ],
)
def test_what_the_environment_lacks_is_told_before_anything_starts(
    server: Running, file: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    for more in ([], ["--dry-run"]):
        refused = up(file, *more).exception
        assert isinstance(refused, ConfigError)
        assert words in str(refused)


def test_a_token_without_the_scope_and_a_gpu_that_nobody_has_are_told(server: Running, file: Path) -> None:
    server.set(faults=[{"on": "^offers", "what": "403", "times": 9}])
    assert "it needs the scopes secure_cloud and rentals:create" in str(up(file).exception)
    server.set(faults=[])
    file.write_text(file.read_text().replace("RTX A6000", "A1000"))
    assert "unknown GPU 'A1000'" in str(up(file).exception)


def test_what_another_ledger_has_rented_under_this_name_is_told(server: Running, file: Path) -> None:
    server.rent(NAME)
    assert "choose another name, or end them with `synthcity cluster reap --cluster syntha" in str(up(file).exception)


def test_down_ends_what_a_lost_head_has_left_and_says_so_by_the_lists(server: Running, file: Path) -> None:
    server.rent(NAME)
    ledger = Ledger(Path("state/syntha") / LEDGER)
    ledger.write(rental(state="rented", asked=time.time() - 60, seen=time.time()))
    ledger.close()
    assert isinstance(invoke("status", "--state", "state").exception, ConfigError)
    dry = invoke("down", "--dry-run", "--state", "state").output
    assert f"and the machine {NAME}, of 1.50 USD an hour" in dry
    assert server.names() == [NAME]
    done = invoke("down", "--yes", "--state", "state")
    assert done.exit_code == 0, f"{done.output}{done.exception}"
    assert server.names() == []
    assert isinstance(invoke("down", "--yes", "--state", "state").exception, ConfigError)  # nothing is left to end


def test_down_of_a_name_that_nobody_knows_tells_how_what_is_rented_under_it_ends(server: Running) -> None:
    refused = invoke("down", "syntha", "--yes", "--state", "state").exception
    assert isinstance(refused, ConfigError)
    assert "`synthcity cluster reap --cluster syntha` ends it" in str(refused)


def test_down_fails_while_a_list_shows_something(server: Running, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.rent(NAME)
    ledger = Ledger(Path("state/syntha") / LEDGER)
    ledger.write(rental(state="rented", asked=time.time() - 60, seen=time.time()))
    ledger.close()
    monkeypatch.setenv("BASILICA_API_TOKEN", "")
    refused = invoke("down", "syntha", "--yes", "--state", "state").exception
    assert isinstance(refused, ConfigError)
    assert "BASILICA_API_TOKEN is not set" in str(refused)
    monkeypatch.setenv("BASILICA_API_TOKEN", server.environment["BASILICA_API_TOKEN"])
    server.set(faults=[{"on": "^stop", "what": "stays", "times": 99}])
    monkeypatch.setattr(lessor.Lessor.end_all, "__defaults__", (time.sleep, 0.0))
    failed = invoke("down", "syntha", "--yes", "--state", "state").exception
    assert isinstance(failed, RentError)
    assert NAME in str(failed)


def test_what_is_rented_is_told_with_what_it_costs_and_what_is_waited_for(file: Path, tmp_path: Path) -> None:
    from synthcity.cli.renting import print_standing, standing_data
    from synthcity.cluster.folder import Folder
    from synthcity.cluster.plan import load_plan

    folder = Folder(tmp_path / "syntha")
    ledger = Ledger(folder.path / LEDGER)
    ledger.write(rental(state="rented", hourly=Decimal("1.35"), gpu="A100", asked=0.0, joined=True))
    ledger.close()
    for odd in ("[1]", "{", "5", '[{"kind": "gpu"}]', '[{"kind": "gpu", "count": [], "why": ""}]', "[" * 50_000):
        (folder.path / "waiting.json").write_text(odd)
        assert renting.standing(load_plan(file), folder, 7200.0).wanted == ()
    (folder.path / "waiting.json").write_text('[{"kind": "gpu", "count": 1, "why": "none is cheap enough"}]')
    found = renting.standing(load_plan(file), folder, 7200.0)
    data = standing_data(found)
    assert (data["hourly_usd"], data["spent_usd"], data["max_spend_usd"]) == ("1.35", "2.7000", "20")
    with CliRunner().isolation() as (out, *_):
        print_standing(found)
        lines = out.getvalue().decode().splitlines()
    assert lines[0] == "rented: 1 machine, 1.35 USD an hour of 2.50; 2.70 USD of 20.00 so far"
    assert lines[-1] == "asked for in vain: 1 gpu (none is cheap enough)"


def test_a_cluster_that_is_up_is_not_checked_again(
    server: Running, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from synthcity.cluster.folder import folder_of
    from tests.cluster.test_folder import head

    folder = folder_of(Path("state"), "syntha")
    folder.path.mkdir(parents=True)
    folder.write_head(head())
    refused = up(file, "--without-reaper").exception
    assert isinstance(refused, RunError)
    assert "is up already" in str(refused)
    assert isinstance(refused, SynthcityError)
