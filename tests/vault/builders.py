"""Small runs, bundles and stores to push."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from synthcity.forecast.baselines import BASELINES
from synthcity.lines import LineWriter
from synthcity.market.simulated import SimulatedMarket
from synthcity.market.store import Store

BEGUN = 1_760_000_000.0
PERIODS = {
    "train": ["2025-02-15 00:00", "2025-06-01 00:00"],
    "validation": ["2025-06-01 00:00", "2025-07-01 00:00"],
    "test": ["2025-07-01 00:00", "2025-08-15 00:00"],
}


def started(name: str = "sweep", *, competition: str = "crypto-24h", at: float = BEGUN) -> dict[str, Any]:
    """The event with which a run begins."""
    config = {"competition": competition, "data": {"periods": PERIODS, "source": "store"}}
    told = {"name": name, "competition": competition, "rules": "2026-09", "assets": ["BTC"], "workers": 1}
    return {"kind": "run_started", "time": at, **told, "config": config}


def candidate(index: int) -> dict[str, Any]:
    return {"kind": "candidate", "time": BEGUN + index, "id": f"c{index:04d}", "index": index}


VERDICT = {
    "kind": "verdict",
    "time": BEGUN + 90,
    "sentence": "proven",
    "proven": True,
    "proven_against": {"fhs": True},
    "winner": "mix-3",
    "winner_is_baseline": False,
    "challenger": "mix-3",
    "best_baseline": "fhs",
}
LEADS = {"fhs": {"mean": -0.6, "low": -0.9, "high": -0.3, "by_asset": {}}}


def write_run(
    folder: Path, *, events: int = 2, finished: bool = True, size: int = 1000, at: float = BEGUN, seed: int = 0
) -> Path:
    """Write what looks like a run's folder, with ``size`` bytes of weights."""
    folder.mkdir(parents=True)
    append(folder, started(folder.name, at=at), *map(candidate, range(events)))
    (folder / "resolved.yaml").write_text("competition: crypto-24h\n")
    state = folder / "checkpoints/trials-1/c0000/checkpoint_000000/state.safetensors"
    state.parent.mkdir(parents=True)
    state.write_bytes(np.random.default_rng(seed).bytes(size))
    (state.parents[2] / "searcher.pkl").write_bytes(b"what Tune keeps")
    (state.parents[1] / "result.json").write_text("{}")
    (folder / ".draft.tmp").write_text("half")
    if finished:
        finish(folder)
    return folder


def finish(folder: Path) -> None:
    (folder / "report.json").write_text(json.dumps({"leads": LEADS}))
    append(folder, VERDICT, {"kind": "run_finished", "time": BEGUN + 99, "winner": "mix-3"})


def append(folder: Path, *events: dict[str, Any]) -> None:
    with LineWriter(folder / "journal.jsonl") as lines:
        for event in events:
            lines.append(event)


def write_bundle(folder: Path) -> Path:
    BASELINES["fhs"]().save(folder, manifest={"competition": "crypto-24h"})
    return folder


def write_store(folder: Path, *, days: int = 3, assets: tuple[str, ...] = ("BTC",)) -> Store:
    store = Store(folder)
    for asset in assets:
        bars = SimulatedMarket().bars(asset, end=1_735_689_600 + days * 86_400)
        store.append(asset, "simulated", 300, bars)
    return store


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
