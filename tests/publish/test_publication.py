from __future__ import annotations

import json

import pytest

from synthcity.errors import BundleError
from synthcity.publish.publication import named_file, parse_latest, parse_publication, write_latest
from synthcity.publish.publish import Prepared


def test_what_is_written_is_read_back(ready: Prepared) -> None:
    told = ready.publication
    assert parse_publication(told.to_json(), "here") == told
    assert told.folder == f"crypto-1h/{told.bundle[:12]}"
    assert set(told.bundle_files) > {"config.json", "members/0/config.json"}
    assert told.leads[0].high < 0
    latest = write_latest({"crypto-24h": "crypto-24h/0123456789ab"}, told)
    assert parse_latest(latest, "here") == {"crypto-24h": "crypto-24h/0123456789ab", "crypto-1h": told.folder}


def test_scores_and_diagnostics_stay_at_home() -> None:
    named = {"report.json": "report.json", "test_scores.parquet": "", "winner/members/0/config.json": ""}
    named["winner/members/0/config.json"] = "bundle/members/0/config.json"
    assert {name: named_file(name) for name in named} == named


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"files": {"../../evil": {"sha256": "0" * 64, "size": 1}}}, "which no publication has"),
        ({"files": {"bundle/evil.pkl": {"sha256": "0" * 64, "size": 1}}}, "which no publication has"),
        ({"files": {"report.json": {"sha256": "x", "size": 1}}}, "which is none"),
        ({"files": {"report.json": {"sha256": "0" * 64, "size": -1}}}, "size"),
        ({"files": {}}, "lacks report.json"),
        ({"competition": "../.."}, "makes no sense"),
        ({"bundle": "zz"}, "makes no sense"),
        ({"format": 99}, "format"),
        ({"more": 1}, "unknown key"),
        ({"verdict": "Proven\x1b]52;c;cm0=\x07"}, "which is no plain text"),
        ({"assets": ["BTC\x1b[2J"]}, "which is no plain text"),
    ],
)
def test_a_hostile_publication_is_one_sentence(changes: dict[str, object], said: str, ready: Prepared) -> None:
    told = {**json.loads(ready.publication.to_json()), **changes}
    with pytest.raises(BundleError, match=said):
        parse_publication(json.dumps(told).encode(), "publication.json")


@pytest.mark.parametrize(
    "competitions", [{"a": "../../etc"}, {"a": "b/0123456789ab"}, {"a": 1}, ["a"], {"crypto-1h": "crypto-1h/ZZ"}]
)
def test_a_hostile_latest_is_one_sentence(competitions: object) -> None:
    with pytest.raises(BundleError):
        parse_latest(json.dumps({"format": 1, "competitions": competitions}).encode(), "latest.json")
    with pytest.raises(BundleError):
        parse_latest(b"{", "latest.json")
