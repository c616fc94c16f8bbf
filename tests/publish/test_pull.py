from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import BundleError, ConfigError, PublishError
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.bundles.provenance import read_facts
from synthcity.publish import pull as module
from synthcity.publish.publication import write_latest
from synthcity.publish.publish import Prepared
from synthcity.publish.pull import pull
from synthcity.publish.rescoring import Again
from synthcity.settings import Settings
from tests.publish.conftest import REPO
from tests.standins.hub import RunningHub

pytestmark = pytest.mark.usefixtures("scored_once")

Files = dict[str, bytes]


@pytest.fixture
def files(ready: Prepared) -> Files:
    """A whole publication, as it lies in a repository."""
    folder = ready.publication.folder
    found = {f"{folder}/{name}": path.read_bytes() for name, path in ready.files.items()}
    found |= {f"{folder}/publication.json": ready.publication.to_json()}
    return {**found, "latest.json": write_latest({}, ready.publication), "README.md": ready.card.encode()}


def test_a_bundle_comes_back_whole(
    files: Files, ready: Prepared, hub: RunningHub, settings: Settings, tmp_path: Path
) -> None:
    hub.commit(REPO, "published", files)
    found = pull(REPO, to=tmp_path / "theirs", settings=settings)
    assert found.publication == ready.publication
    assert load(found.folder).name == "reference+q"
    [facts] = read_facts(found.folder)
    assert (facts.venues, facts.competition, facts.assets) == (("binance",), "crypto-1h", ("BTC",))
    assert pull(REPO, to=tmp_path / "theirs", settings=settings, competition="crypto-1h").commit == found.commit
    hub.commit(REPO, "emptied", {"x": b""})
    assert pull(REPO, to=tmp_path / "old", settings=settings, revision=found.commit).commit == found.commit
    with pytest.raises(BundleError, match=r"has no latest\.json"):
        pull(REPO, to=tmp_path / "new", settings=settings)


def told(files: Files, folder: str, change: Callable[[Any], None]) -> None:
    data = json.loads(files[f"{folder}/publication.json"])
    change(data)
    files[f"{folder}/publication.json"] = json.dumps(data).encode()


def listed(files: Files, folder: str, name: str, content: bytes) -> None:
    """Put a file in and list it truly."""
    files[f"{folder}/{name}"] = content
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    told(files, folder, lambda data: data["files"].update({name: entry}))


def other_weights(files: Files, folder: str) -> None:
    files[f"{folder}/bundle/weights.safetensors"] = b"\x08\0\0\0\0\0\0\0{}      "[::-1]


def whole_other_bundle(files: Files, folder: str) -> None:
    name = "bundle/members/0/config.json"
    config = json.loads(files[f"{folder}/{name}"])
    config["config"]["hourly_sigma"] = {"BTC": 0.02}
    listed(files, folder, name, json.dumps(config).encode())


LIES: dict[str, tuple[Callable[[Files, str], None], str]] = {
    "swapped weights": (other_weights, "its hash is another"),
    "another parameter, listed": (whole_other_bundle, "differs from its hash in the manifest"),
    "a pickle, listed": (lambda f, d: listed(f, d, "bundle/model.pkl", pickle.dumps(1)), "which no publication has"),
    "a pickle named safetensors": (
        lambda f, d: listed(f, d, "bundle/weights.safetensors", pickle.dumps([1] * 9)),
        "calls itself safetensors",
    ),
    "code": (lambda f, d: listed(f, d, "bundle/code/0.py", b"import os"), "holds code that a language model wrote"),
    "a stray member": (
        lambda f, d: listed(f, d, "bundle/members/7/config.json", b"{}"),
        "which its manifest does not list",
    ),
    "a path out of it": (
        lambda f, d: told(f, d, lambda data: data["files"].update({"../../.ssh/x": {"sha256": "0" * 64, "size": 1}})),
        "which no publication has",
    ),
    "a huge file": (
        lambda f, d: told(f, d, lambda data: data["files"]["bundle/config.json"].update(size=3 << 30)),
        "not the 3221225472 that were published",
    ),
    "half a publication": (lambda f, d: f.pop(f"{d}/bundle/config.json") and None, "holds half a publication"),
    "a huge listing": (lambda f, d: f.update({"latest.json": b" " * (5 << 20)}), "more than the 4194304"),
    "folders that lead elsewhere": (
        lambda f, d: f.update({"latest.json": b'{"format": 1, "competitions": {"crypto-1h": "../../etc"}}'}),
        "which is none",
    ),
    "of another competition": (
        lambda f, d: told(f, d, lambda data: data.update(competition="crypto-24h")),
        "it was put",
    ),
    "of other prices": (lambda f, d: told(f, d, lambda data: data.update(venues=["kraken"])), "of something else"),
    "of a later format": (lambda f, d: told(f, d, lambda data: data.update(format=2)), "format"),
    "a link": (
        lambda f, d: f.update({f"{d}/bundle/config.json": b"/etc/passwd"}),
        "bytes, not the",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_hostile_repository_is_refused_and_nothing_is_left(
    name: str, files: Files, ready: Prepared, hub: RunningHub, settings: Settings, tmp_path: Path
) -> None:
    lie, said = LIES[name]
    lie(files, ready.publication.folder)
    hub.commit(REPO, "hostile", files)
    with pytest.raises(BundleError, match=said):
        pull(REPO, to=tmp_path / "theirs", settings=settings)
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_scores_otherwise_is_refused(
    files: Files, hub: RunningHub, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "rescore", lambda *_, **__: Again(reason="it scores 1.0"))
    hub.commit(REPO, "published", files)
    with pytest.raises(BundleError, match="does not come to the figures it was published with"):
        pull(REPO, to=tmp_path / "theirs", settings=settings)


def test_what_is_there_is_left_alone(
    files: Files, hub: RunningHub, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = Again(reason="", competition="crypto-1h", rules="2026-09")
    monkeypatch.setattr(module, "rescore", lambda *_, **__: scored)
    hub.commit(REPO, "published", files)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes").write_text("x")
    with pytest.raises(ConfigError, match="holds something else; it is left alone"):
        pull(REPO, to=tmp_path / "mine", settings=settings)


@pytest.mark.parametrize(
    ("repo", "options", "said"),
    [
        ("models", {}, "is no repository; write owner/name"),
        ("me/../x", {}, "is no repository"),
        (REPO, {"revision": "../x"}, "is no commit, branch or tag"),
        (REPO, {"competition": "crypto-2h"}, "unknown competition 'crypto-2h'"),
    ],
)
def test_names_that_are_none_are_one_sentence(
    repo: str, options: dict[str, Any], said: str, files: Files, hub: RunningHub, settings: Settings
) -> None:
    hub.commit(REPO, "published", files)
    with pytest.raises(ConfigError, match=said):
        pull(repo, settings=settings, **options)


def test_a_repository_that_is_not_there_is_one_sentence(settings: Settings) -> None:
    with pytest.raises(PublishError, match="cannot look at me/none"):
        pull("me/none", settings=settings)
