"""Several hundred bundles with fitting hashes and one odd thing each are refused in a sentence, or draw prices."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from synthcity.errors import BundleError
from synthcity.forecast.baselines import BASELINES, baseline
from synthcity.forecast.baselines.reference import Reference, ReferenceConfig
from synthcity.forecast.bundles.bundle import Savable, load
from synthcity.forecast.bundles.verified import CONFIG, MANIFEST, MAX_DEPTH, MAX_MEMBERS, WEIGHTS
from synthcity.forecast.dispatch import Dispatch, Route
from synthcity.forecast.mixing import Mix
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import History, Market
from synthcity.sn50.prompt import Prompt
from tests.forecast.conftest import DAY, START
from tests.forecast.forge import mutants, outcome, sign, signed

BUNDLES: dict[str, Callable[[], Savable]] = {
    **BASELINES,
    "reference": lambda: Reference(ReferenceConfig(hourly_sigma={"BTC": 0.01})),
    "mix": lambda: Mix([baseline("trailing"), baseline("ewma")], [0.25, 0.75]),
    "quantised": lambda: Quantised(baseline("trailing")),
    "dispatch": lambda: Dispatch(
        [Route(assets=("BTC",), time_length=3600, time_increment=300)], [baseline("trailing")]
    ),
}
PROMPT = Prompt(asset="BTC", start_time=START + 40 * DAY, time_length=3600, time_increment=300, num_simulations=8)


@pytest.fixture(scope="module")
def history(market: Market) -> History:
    return market.as_of(PROMPT.start_time)


def test_the_untouched_ones_draw(tmp_path: Path, history: History) -> None:
    for name, make in BUNDLES.items():
        make().save(tmp_path / name)
        sign(tmp_path / name)
        assert outcome(tmp_path / name, history, [PROMPT]) == "drawn"


@pytest.mark.parametrize("name", BUNDLES)
def test_every_odd_value_in_a_config(name: str, tmp_path: Path, history: History) -> None:
    BUNDLES[name]().save(tmp_path / "b")
    config = json.loads((tmp_path / "b" / CONFIG).read_text())
    found: Counter[str] = Counter()
    for what, mutant in mutants(config):
        signed(tmp_path / "b", mutant)
        try:
            found[outcome(tmp_path / "b", history, [PROMPT])] += 1
        except Exception as error:
            raise AssertionError(f"{name}: {what}") from error
    assert found["refused"] > 30
    assert found.total() > 60


def test_every_odd_value_in_a_manifest(tmp_path: Path, history: History) -> None:
    Mix([baseline("trailing"), baseline("ewma")], [0.25, 0.75]).save(tmp_path / "b")
    sign(tmp_path / "b")
    manifest = json.loads((tmp_path / "b" / MANIFEST).read_text())
    for what, mutant in mutants(manifest):
        (tmp_path / "b" / MANIFEST).write_text(json.dumps(mutant))
        try:
            outcome(tmp_path / "b", history, [PROMPT])
        except Exception as error:
            raise AssertionError(what) from error


def nest(folder: Path, depth: int) -> None:
    """Put a bundle into bundles, ``depth`` of them around each other."""
    for _ in range(depth):
        Quantised(baseline("trailing")).save(folder.parent / "outer")
        shutil.rmtree(folder.parent / "outer" / "members" / "0")
        folder.rename(folder.parent / "outer" / "members" / "0")
        (folder.parent / "outer").rename(folder)
    sign(folder)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    Quantised(baseline("trailing")).save(tmp_path / "b")
    return tmp_path / "b"


def refused(bundle: Path, match: str) -> None:
    with pytest.raises(BundleError, match=match) as caught:
        load(bundle)
    assert "\n" not in str(caught.value)


def test_members_without_end(bundle: Path) -> None:
    nest(bundle, MAX_DEPTH - 1)
    assert load(bundle).name == "trailing" + "+q" * MAX_DEPTH
    nest(bundle, 1)
    refused(bundle, "members deep")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"num_members": NaN}', "\xff\xfe", "[1]", ""])
@pytest.mark.parametrize("name", [CONFIG, MANIFEST])
def test_text_that_is_no_config(bundle: Path, name: str, text: str) -> None:
    (bundle / name).write_bytes(text.encode("latin-1"))
    if name == CONFIG:
        sign(bundle)
    refused(bundle, "cannot be read|must hold a JSON object")


def test_more_members_than_anybody_has(bundle: Path) -> None:
    config = json.loads((bundle / CONFIG).read_text())
    for number in (MAX_MEMBERS + 1, 10**9, 10**400):
        signed(bundle, {**config, "num_members": number})
        refused(bundle, "num_members must be at most 64")
    signed(bundle, {**config, "num_members": 2})
    refused(bundle, r"members/1/manifest\.json is missing")


@pytest.mark.parametrize("name", ["config.json", "manifest.json", "weights.safetensors", "members", "members/0"])
def test_links_lead_nowhere(bundle: Path, name: str) -> None:
    sign(bundle)
    target = bundle.parent / "elsewhere"
    (bundle / name).rename(target)
    (bundle / name).symlink_to(target)
    refused(bundle, "is a link")


def test_a_link_to_itself_and_one_to_the_whole(bundle: Path) -> None:
    shutil.rmtree(bundle / "members" / "0")
    (bundle / "members" / "0").symlink_to(bundle)
    refused(bundle, "is a link")
    (bundle / "members" / "0").unlink()
    (bundle / "members" / "0").symlink_to("0")
    refused(bundle, "is a link")


def test_the_bundle_itself_may_be_linked_to(bundle: Path) -> None:
    (bundle.parent / "champion").symlink_to(bundle)
    assert load(bundle.parent / "champion").name == "trailing+q"


def test_a_pipe_is_not_waited_for(bundle: Path) -> None:
    for name in (MANIFEST, CONFIG, WEIGHTS):
        content = (bundle / name).read_bytes()
        (bundle / name).unlink()
        os.mkfifo(bundle / name)
        refused(bundle, "is no plain file")
        (bundle / name).unlink()
        (bundle / name).write_bytes(content)


def test_files_larger_than_a_memory_are_not_read(bundle: Path) -> None:
    for name in (WEIGHTS, CONFIG, MANIFEST):
        content = (bundle / name).read_bytes()
        with (bundle / name).open("r+b") as file:
            file.truncate(1 << 40)
        refused(bundle, "more than the")
        (bundle / name).write_bytes(content)


def test_a_name_that_is_no_path() -> None:
    refused(Path("a\0b"), "cannot be read|is missing")
    refused(Path("x" * 5000), "cannot be read|is missing")
