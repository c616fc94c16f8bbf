"""A bundle's folder is read as a stranger might have made it; odd values by the hundred are in ``test_forged``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import BundleError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles import verified
from synthcity.forecast.bundles.verified import CONFIG, MANIFEST, METRICS, WEIGHTS, listed_files, read_bundle, sha256
from synthcity.forecast.mixing import Mix
from tests.forecast.forge import sign


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    Mix([baseline("trailing"), baseline("ewma")], [0.25, 0.75]).save(tmp_path / "bundle")
    return tmp_path / "bundle"


def rewrite(folder: Path, name: str, **changes: Any) -> None:
    data = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**data, **changes}))


def test_a_whole_one_is_told_without_opening_its_members(bundle: Path) -> None:
    (bundle / "members" / "0" / CONFIG).write_text("damaged")
    found = read_bundle(bundle)
    assert found.parts.num_members == 2
    assert found.weights == (bundle / WEIGHTS).read_bytes()
    assert (found.parts.code, found.sources, found.parts.requires) == ((), (), ())


def test_all_files_of_a_bundle_and_its_members_are_listed(bundle: Path, tmp_path: Path) -> None:
    files = {str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file()}
    (bundle / "notes.txt").write_text("of somebody else")
    assert set(listed_files(bundle)) == files
    with pytest.raises(BundleError, match="is no bundle"):
        list(listed_files(tmp_path))


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, METRICS, f"members/1/{MANIFEST}"])
def test_every_file_is_held_against_its_hash(bundle: Path, name: str) -> None:
    content = bytearray((bundle / name).read_bytes())
    content[-1] ^= 1
    (bundle / name).write_bytes(bytes(content))
    with pytest.raises(BundleError, match=f"{name} differs from its hash in the manifest; it is damaged or was edited"):
        read_bundle(bundle)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, METRICS, f"members/0/{MANIFEST}"])
def test_a_missing_file_is_named_with_the_remedy(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing; copy the bundle again"):
        read_bundle(bundle)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"manifest\.json is missing; .* is no bundle"):
        read_bundle(tmp_path)


def test_another_format_and_a_manifest_without_hashes_are_told(bundle: Path) -> None:
    rewrite(bundle, MANIFEST, format=2)
    with pytest.raises(BundleError, match=r"is of format 2, synthcity .* reads 1"):
        read_bundle(bundle)
    rewrite(bundle, MANIFEST, format=1, sha256=[])
    with pytest.raises(BundleError, match="lists no hashes; copy the bundle again"):
        read_bundle(bundle)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"num_members": -1}, "num_members"),
        ({"num_members": 65}, "num_members"),
        ({"loader": 3}, "loader"),
        ({"code": [{"kind": "lamp", "name": "a", "sha256": "b"}]}, "kind"),
    ],
)
def test_a_config_of_another_form_is_refused_although_its_hash_fits(
    bundle: Path, change: dict[str, Any], sentence: str
) -> None:
    rewrite(bundle, CONFIG, **change)
    sign(bundle)
    with pytest.raises(BundleError, match=f"is not that of a bundle: .*{sentence}"):
        read_bundle(bundle)


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": 1e999}', "[1]", "{", "[" * 100_000])
def test_what_is_no_plain_object_is_refused(bundle: Path, text: str) -> None:
    (bundle / MANIFEST).write_text(text)
    with pytest.raises(BundleError, match=r"manifest\.json (cannot be read|must hold a JSON object)"):
        read_bundle(bundle)


def test_links_pipes_and_what_is_too_large_are_not_read(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = (bundle / METRICS).read_bytes()
    monkeypatch.setattr(verified, "_MAX_TEXT", len(kept) - 1)
    with pytest.raises(BundleError, match="more than the"):
        verified._bytes(bundle, METRICS)
    (bundle / METRICS).unlink()
    (bundle / METRICS).symlink_to(bundle / CONFIG)
    with pytest.raises(BundleError, match="is a link; a bundle holds its files itself"):
        verified._bytes(bundle, METRICS)
    (bundle / METRICS).unlink()
    (bundle / METRICS).mkdir()
    with pytest.raises(BundleError, match="is no plain file"):
        verified._bytes(bundle, METRICS)


def test_a_hash_is_sha256() -> None:
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
