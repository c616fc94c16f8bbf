"""Bundles as a stranger might sign them: every value of a config replaced by an odd one, with hashes that fit."""

from __future__ import annotations

import copy
import json
import signal
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from synthcity.errors import BundleError, DataError
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.bundles.verified import CONFIG, MANIFEST, sha256
from synthcity.forecast.forecaster import Forecaster
from synthcity.market.bars import History
from synthcity.sn50.prompt import Prompt

ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    3,
    1e-300,
    0.5,
    1e9,
    10**9,
    1e300,
    2**63,
    10**400,
    float("nan"),
    float("-inf"),
    "",
    "x",
    "../../etc/passwd",
    "\ud800",
    "a\x00b",
    [],
    {},
    [None],
    [[[[1]]]],
    {"x": {"y": []}},
    "synthcity.nets.forecaster:from_bundle",
)
PATIENCE_SECONDS = 20


def mutants(config: Any) -> Iterator[tuple[str, Any]]:
    """Yield every config that differs in one place: a value that is odd, one that is gone, one more than there was."""
    for path in _places(config):
        name = ".".join(map(str, path))
        for value in ODD:
            yield f"{name} = {value!r}"[:80], _with(config, path, value)
        yield f"{name} gone", _without(config, path)
    yield "one more", {**config, "wings": 2}


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from _places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from _places(value[index], (*path, index))


def _parent(config: Any, path: Sequence[Any]) -> tuple[Any, Any]:
    copied = copy.deepcopy(config)
    inner = copied
    for key in path[:-1]:
        inner = inner[key]
    return copied, inner


def _with(config: Any, path: Sequence[Any], value: Any) -> Any:
    copied, inner = _parent(config, path)
    inner[path[-1]] = value
    return copied


def _without(config: Any, path: Sequence[Any]) -> Any:
    copied, inner = _parent(config, path)
    del inner[path[-1]]
    return copied


def sign(folder: Path) -> None:
    """Let the manifests vouch for all that lies in a bundle, members first."""
    for member in sorted((folder / "members").glob("*/")) if (folder / "members").is_dir() else []:
        sign(member)
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["sha256"] = {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and path != folder / MANIFEST
    }
    (folder / MANIFEST).write_text(json.dumps(manifest))


def signed(folder: Path, config: Any) -> None:
    """Give a bundle this config."""
    (folder / CONFIG).write_text(json.dumps(config))
    sign(folder)


def outcome(folder: Path, history: History, prompts: Sequence[Prompt]) -> str:
    """Load a bundle and ask it; "refused", "too little history" for all prompts, or "drawn".

    Raises:
        AssertionError: anything else came of it.
    """

    def too_long(*_: object) -> None:
        raise AssertionError(f"took longer than {PATIENCE_SECONDS} s")

    previous = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(PATIENCE_SECONDS)
    try:
        return _outcome(folder, history, prompts)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def _loaded(folder: Path) -> tuple[Forecaster | None, str]:
    try:
        return load(folder), ""
    except BundleError as error:
        return None, str(error)


def _outcome(folder: Path, history: History, prompts: Sequence[Prompt]) -> str:
    forecaster, refusal = _loaded(folder)
    if forecaster is None:
        assert "\n" not in refusal, "more than a sentence"
        assert 20 < len(refusal) < 1000
        return "refused"
    found = "too little history"
    for prompt in prompts:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # what comes out is looked at here
            try:
                paths = forecaster.simulate(history, prompt, seed=0)
            except DataError:
                continue
        assert paths.shape == (prompt.num_simulations, prompt.num_steps + 1)
        assert np.isfinite(paths).all()
        assert (paths > 0).all()
        found = "drawn"
    return found
