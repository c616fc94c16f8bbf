from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.errors import ConfigError
from synthcity.serve.config import load_serving

MINIMAL = "service: {model: fhs, store: prices}\n"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a relative state folder is made where one stands


def write(folder: Path, text: str) -> Path:
    path = folder / "serve.yaml"
    path.write_text(text)
    return path


def test_reads_sections_and_makes_folders_absolute(tmp_path: Path) -> None:
    text = "service: {model: fhs, store: prices, engine: {num_threads: 3}}\ncluster: {replicas: 2}\n"
    found = load_serving(write(tmp_path, text))
    assert (found.service.model, found.service.store) == ("fhs", str(tmp_path / "prices"))
    assert (found.service.engine.num_threads, found.cluster.replicas, found.service.rest) == (3, 2, True)


def test_a_time_takes_its_unit_and_a_path_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    text = "service: {model: fhs, store: ~/prices, engine: {model_seconds: 1m, longest_wait_seconds: 600}}"
    found = load_serving(write(tmp_path, text)).service
    assert (found.store, found.engine.model_seconds) == (str(tmp_path / "prices"), 60.0)
    assert found.engine.longest_wait_seconds == 600
    with pytest.raises(ConfigError, match=r"^cluster\.port must be at most 65535"):
        load_serving(None, service={"model": "fhs", "store": "s"}, cluster={"port": 70000})


def test_an_option_goes_before_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, MINIMAL + "cluster: {port: 9000, replicas: 2}\n")
    found = load_serving(path, service={"model": "ewma", "state": None}, cluster={"port": 9001, "replicas": None})
    assert (found.service.model, found.cluster.port, found.cluster.replicas) == ("ewma", 9001, 2)


def test_nobody_may_ask_without_a_name_on_a_public_address_unless_it_says_so(tmp_path: Path) -> None:
    path = write(tmp_path, "service: {model: fhs, store: s, hotkey: h, metagraph: m}\ncluster: {host: 0.0.0.0}\n")
    assert not load_serving(path).service.rest
    assert load_serving(path, service={"rest": True}).service.rest


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("service: {model: fhs, store: s, max_inflight: 3}", "did you mean 'service.max_in_flight'"),
        ("service: {model: fhs, store: s, engine: {threads: 1}}", "service.engine.num_threads"),
        ("clutser: {port: 1}\n" + MINIMAL, "did you mean 'cluster'"),
        ("service: {model: fhs, store: s, engine: {num_threads: 0}}", "num_threads must be at least 1"),
        (MINIMAL + "cluster: {port: 70000}", "cluster.port must be at most 65535"),
        (
            MINIMAL + "cluster: {host: everywhere}",
            "line 2: cluster.host must be an address to listen at",
        ),
        (MINIMAL + "cluster: {host: 5}", "line 2: cluster.host must be an address"),
        (MINIMAL + "cluster: {cpus: .inf}", "cluster.cpus must be a finite number"),
        (MINIMAL + "cluster: {replicas: 2}\ncluster: {port: 1}", "at line 3: the key 'cluster' stands twice"),
        ("service: {model: fhs, store: s, engine: {model_seconds: soon}}", "model_seconds must be a positive duration"),
        ("service: {model: fhs, store: s, max_in_flight: 1e9}", "max_in_flight must be a whole number"),
        ("competition: crypto-24h\ndata: {}", "is a sweep file, not a service file: `synthcity search"),
        (MINIMAL + "cluster: 3", "cluster must hold keys and values"),
        ("service: {model: fhs}", "--data STORE"),
        ("[1, 2]", "must hold keys and values"),
        ("service: {", "no valid YAML at line"),
    ],
)
def test_nonsense_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_serving(path)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_reads_it_and_says_what_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path, "service: {model: fsh, store: s}")
    assert "did you mean 'fhs'" in str(CliRunner().invoke(cli, ["serve", "--config", str(path)]).exception)
    assert "cannot read" in str(CliRunner().invoke(cli, ["serve", "--config", str(tmp_path / "no")]).exception)
    assert "BUNDLE|BASELINE" in str(CliRunner().invoke(cli, ["serve"]).exception)
