"""Metrics at a fixed port, and alert rules and a dashboard that name nothing else."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from synthcity.errors import ConfigError
from synthcity.serve.operations.alarms import ALARMS, Severity
from synthcity.serve.operations.export import exporting, view_families
from synthcity.serve.operations.view import View
from tests.serve.operations.look import around

DEPLOY = Path(__file__).parents[3] / "deploy"


@pytest.fixture(scope="module")
def scraped() -> str:
    view = View.of(around(clock_offset=9.0))
    with exporting(0, lambda: view_families(view)) as address:
        return httpx.get(address, trust_env=False).text


def test_counters_histograms_and_gauges_are_shown(scraped: str):
    families = {family.name: family for family in text_string_to_metric_families(scraped)}
    assert families["synthcity_answers"].samples[0].value == 20
    count = [one for one in families["synthcity_latency_seconds"].samples if one.name.endswith("_count")]
    assert count[0].value == 20
    buckets = [one for one in families["synthcity_latency_seconds"].samples if one.name.endswith("_bucket")]
    assert [one.value for one in buckets[:3]] == [0, 0, 20], "0.02 s lie above 0.01 and below 0.025"
    ages = {one.labels["asset"]: one.value for one in families["synthcity_newest_price_age_seconds"].samples}
    assert ages == {"BTC": 40.0, "ETH": 30.0}
    assert families["synthcity_clock_offset_seconds"].samples[0].value == 9.0


def test_every_alarm_is_a_series_and_is_1_while_it_stands(scraped: str):
    (alarms,) = [one for one in text_string_to_metric_families(scraped) if one.name == "synthcity_alarm"]
    values = {(one.labels["alarm"], one.labels["severity"]): one.value for one in alarms.samples}
    assert values.keys() == {(name, severity.value) for name in ALARMS for severity in Severity}
    assert [key for key, value in values.items() if value] == [("clock", "critical")]


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"at 127.0.0.1:{port} \(Address already in use\); choose another"):
            exporting(port, lambda: ()).__enter__()


def _names(text: str) -> set[str]:
    return set(re.findall(r"synthcity_[a-z_]+", text))


@pytest.fixture(scope="module")
def known(scraped: str) -> set[str]:
    found = set()
    for family in text_string_to_metric_families(scraped):
        kinds = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
        found |= {family.name + end for end in kinds[family.type]}
    return found


def test_alert_rules_name_metrics_and_alarms_that_exist(known: set[str]):
    rules = [rule for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
    expressions = "\n".join(rule["expr"] for rule in rules)
    assert _names(expressions) <= known, _names(expressions) - known
    assert set(re.findall(r'alarm="(\w+)"', expressions)) <= set(ALARMS)
    assert all({"severity", "summary"} <= (rule["labels"] | rule["annotations"]).keys() for rule in rules)
    assert any("synthcity_alarm" in rule["expr"] for rule in rules)
    assert any("absent(" in rule["expr"] or "up{" in rule["expr"] for rule in rules), "a miner that is gone raises none"


def test_the_dashboard_names_metrics_that_exist_and_shows_what_matters(known: set[str]):
    board = json.loads((DEPLOY / "grafana.json").read_text())
    targets = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    assert targets
    assert _names("\n".join(targets)) <= known, _names("\n".join(targets)) - known
    for name in ("alarm", "answers_total", "refusals_total", "newest_price_age_seconds", "clock_offset_seconds"):
        assert any(f"synthcity_{name}" in expression for expression in targets), name
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
