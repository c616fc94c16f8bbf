from __future__ import annotations

import errno
import json
import threading
from pathlib import Path

import numpy as np
import pytest

from synthcity import files
from synthcity.errors import BundleError, RunError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.baselines.fhs import Fhs, FhsConfig
from synthcity.forecast.baselines.profile import ProfileConfig
from synthcity.forecast.baselines.sessions import SessionConfig
from synthcity.forecast.bundles.bundle import load, save_bundle
from synthcity.forecast.bundles.verified import sha256
from synthcity.forecast.forecaster import Shifted
from synthcity.forecast.mixing import Mix
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import Market
from synthcity.sn50.prompt import Prompt
from tests.faults import campaign

BASELINE = "synthcity.forecast.baselines:from_bundle"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    baseline("fhs").save(tmp_path / "fhs", metrics={"score": 1.5}, manifest={"seeds": [0]})
    return tmp_path / "fhs"


def _rewrite(path: Path, **changes: object) -> None:
    """Change keys of a JSON file and let the manifest vouch for it."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    if path.name != "manifest.json":
        manifest = json.loads((path.parent / "manifest.json").read_text())
        manifest["sha256"][path.name] = sha256(path.read_bytes())
        (path.parent / "manifest.json").write_text(json.dumps(manifest))


def test_holds_what_it_was_given(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "manifest.json",
        "metrics.json",
        "weights.safetensors",
    ]
    assert json.loads((folder / "metrics.json").read_text()) == {"score": 1.5}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["seeds"] == [0]
    assert manifest["sha256"].keys() == {"config.json", "metrics.json", "weights.safetensors"}
    assert [path.name for path in folder.parent.iterdir()] == ["fhs"]


def test_keeps_every_setting(tmp_path: Path) -> None:
    sessions = SessionConfig(gap_length_power=0.3, profile=ProfileConfig(smooth_slots=1))
    for config in (
        FhsConfig(residual_days=7.0, profile=ProfileConfig(shrinkage=0.3)),
        FhsConfig(sessions=sessions),
        FhsConfig(sessions=None),
    ):
        Fhs(config).save(tmp_path / "fhs")
        loaded = load(tmp_path / "fhs")
        assert isinstance(loaded, Fhs)
        assert loaded.config == config


def test_what_was_saved_before_there_were_sessions_has_none(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())["config"]
    del config["sessions"], config["bursts"]
    _rewrite(folder / "config.json", config=config)
    loaded = load(folder)
    assert isinstance(loaded, Fhs)
    assert loaded.config == FhsConfig(sessions=None, bursts=None)


def test_what_was_saved_before_there_were_bursts_answers_as_before(folder: Path, market: Market) -> None:
    """By the name that this form has now."""
    config = json.loads((folder / "config.json").read_text())["config"]
    del config["bursts"]
    _rewrite(folder / "config.json", config=config)
    loaded, today = load(folder), baseline("fhs-plain")
    assert loaded.name == "fhs-plain"
    start = int(market["BTC", 300].observed[-1])
    asked = Shifted(asset="BTC", start_time=start, num_simulations=20, shift=180)
    paths = loaded.simulate(market.as_of(start), asked, seed=3)
    prompt = Prompt(asset="BTC", start_time=start, num_simulations=20)
    np.testing.assert_array_equal(paths, today.simulate(market.as_of(start), prompt, seed=3))
    assert (paths != baseline("fhs").simulate(market.as_of(start), prompt, seed=3)).any()
    loaded.save(folder.parent / "again")  # type: ignore[attr-defined]
    assert load(folder.parent / "again").name == "fhs-plain"


def test_gives_its_loader_the_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}
    weights = {"w": np.arange(6.0).reshape(2, 3).T}
    save_bundle(tmp_path / "b", {"loader": BASELINE, "x": 1}, weights)
    monkeypatch.setattr(
        "synthcity.forecast.baselines.from_bundle",
        lambda folder, config, weights: seen.update(config=config, weights=weights) or baseline("fhs"),
    )
    load(str(tmp_path / "b"))
    assert seen["config"]["x"] == 1
    np.testing.assert_array_equal(seen["weights"]["w"], weights["w"])


def test_replaces_a_bundle_and_nothing_else(folder: Path) -> None:
    baseline("ewma").save(folder)
    assert load(folder).name == "ewma"
    assert [path.name for path in folder.parent.iterdir()] == ["fhs"]
    (folder.parent / "photos").mkdir()
    with pytest.raises(BundleError, match="is no bundle; it is left alone"):
        baseline("ewma").save(folder.parent / "photos")


def test_a_failed_save_leaves_the_old_one(folder: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        baseline("ewma").save(folder, metrics={"score": float("nan")})
    assert load(folder).name == "fhs"
    assert [path.name for path in folder.parent.iterdir()] == ["fhs"]


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "metrics.json"])
def test_refuses_a_damaged_or_missing_file(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(BundleError, match=f"{name} differs from its hash"):
        load(folder)
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        load(folder)


def test_refuses_a_damaged_member(tmp_path: Path) -> None:
    Mix([baseline("fhs"), baseline("ewma")], [0.5, 0.5]).save(tmp_path / "mix")
    path = tmp_path / "mix/members/1/config.json"
    path.write_text(path.read_text().replace("0.5", "0.6").replace("12.0", "13.0"))
    with pytest.raises(BundleError, match=r"members/1/config\.json differs"):
        load(tmp_path / "mix")
    # a member swapped for another whole bundle is no longer the one that was saved
    baseline("trailing").save(tmp_path / "mix/members/1")
    with pytest.raises(BundleError, match=r"members/1/manifest\.json differs"):
        load(tmp_path / "mix")


def test_refuses_what_is_foreign(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"manifest\.json is missing; .* is no bundle"):
        load(tmp_path / "nothing")
    _rewrite(folder / "config.json", loader="os:system")
    with pytest.raises(BundleError, match="names the loader 'os:system'"):
        load(folder)
    _rewrite(folder / "config.json", loader=BASELINE, config={"wings": 2})
    with pytest.raises(BundleError, match=r"does not fit synthcity .* 'wings'"):
        load(folder)
    _rewrite(folder / "manifest.json", format=99)
    with pytest.raises(BundleError, match="is of format 99"):
        load(folder)
    (folder / "manifest.json").write_text("[1]")
    with pytest.raises(BundleError, match="must hold a JSON object"):
        load(folder)


def test_saves_only_what_can_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="loader"):
        save_bundle(tmp_path / "b", {"loader": "os:system"}, {})
    mute = Mix([object()], [1.0])  # type: ignore[list-item]
    with pytest.raises(BundleError, match="object has no save method"):
        mute.save(tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_is_told_in_words_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(RunError, match=r"cannot write the bundle .*bundle \(No space left on device\); make space"):
            baseline("fhs").save(tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="File exists"):
        baseline("fhs").save(tmp_path / "file" / "bundle")


NAMES = ("mix", "ewma+q")


def replace_bundle(folder: Path) -> None:
    """For ``tests.faults``: put the other of two bundles in the place of the one that is there."""
    is_mix = (folder / "b").exists() and load(folder / "b").name == "mix"
    other = Quantised(baseline("ewma")) if is_mix else Mix([baseline("trailing"), baseline("ewma")], [0.5, 0.5])
    other.save(folder / "b")


def replace_bundle_without_exchange(folder: Path) -> None:
    files._exchange = _refuse  # type: ignore[assignment]
    replace_bundle(folder)


def _refuse(one: Path, other: Path) -> None:
    raise OSError(errno.EINVAL, "no exchange here")


def check(folder: Path) -> None:
    """For ``tests.faults``: one of them is there, whole."""
    assert load(folder / "b").name in NAMES


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        ("replace_bundle", "kill"),
        ("replace_bundle_without_exchange", "kill"),
        *(
            pytest.param(function, kind, marks=pytest.mark.slow)
            for function in ("replace_bundle", "replace_bundle_without_exchange")
            for kind in ("error", "gone")
        ),
    ],
)
def test_whatever_call_of_a_replacement_is_the_last_a_whole_bundle_is_found(
    tmp_path: Path, function: str, kind: str
) -> None:
    assert campaign(f"{__name__}:{function}", tmp_path, kind) > 60
    assert [path.name for path in tmp_path.iterdir()] == ["b"], "the last one takes leftovers over"


def test_whoever_loads_during_replacements_finds_one_or_the_other(tmp_path: Path) -> None:
    replace_bundle(tmp_path)
    done = threading.Event()

    def replace_again_and_again() -> None:
        for _ in range(30):
            replace_bundle(tmp_path)
        done.set()

    writer = threading.Thread(target=replace_again_and_again)
    writer.start()
    found = set()
    while not done.is_set():
        found.add(load(tmp_path / "b").name)
    writer.join()
    assert found == set(NAMES)


def test_what_waits_aside_after_a_kill_is_loaded_and_put_back(folder: Path) -> None:
    folder.rename(folder.with_name(".fhs.old"))
    assert load(folder).name == "fhs"
    with pytest.raises(ValueError, match="JSON compliant"):
        baseline("ewma").save(folder, metrics={"score": float("nan")})
    assert load(folder).name == "fhs"
    assert [path.name for path in folder.parent.iterdir()] == ["fhs"]
