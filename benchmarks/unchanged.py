"""What may not change by tidying: deterministic searches, a backtest and served bytes, as hashes and figures.

::

    python -m benchmarks.unchanged record figures.json    # on the old tree
    python -m benchmarks.unchanged check figures.json     # on the new one; exit 1 and a line for each difference

Figures are equal bit for bit on one machine and one set of packages only, so none are kept in the repository.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synthcity.durations import DAY
from synthcity.forecast.baselines import BASELINES, baseline
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.evaluation.backtest import backtest, backtest_prompts
from synthcity.market.bars import Market
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.search.run import search
from synthcity.serve.answering import clock
from synthcity.serve.answering.reply import encode_reply
from synthcity.sn50.prompt import Prompt

ROOT = Path(__file__).parent.parent
SEARCHES = {
    "crypto-24h": (),
    "crypto-1h": (
        "competition=crypto-1h",
        "data.validation_every=3h",
        "data.test_every=5h",
        "data.simulated.days=60",
        "data.periods.train=[2025-02-01,2025-02-15]",
        "data.periods.validation=[2025-02-15,2025-02-20]",
        "data.periods.test=[2025-02-20,2025-02-27]",
    ),
}
SETTINGS = (
    "data.assets=[BTC,ETH]",
    "data.validation_every=11h",
    "data.test_every=13h",
    "search.deterministic=true",
    "search.time_budget=null",
    "search.trials=6",
    "search.generation=3",
    "search.candidates=[summary_gbm,lstm_gbm]",
    "search.workers=2",
    "search.max_steps=40",
    "search.rungs=2",
    "search.trial_time=null",
)


def figures() -> dict[str, Any]:
    """Measure everything anew; about two minutes on two cores."""
    found: dict[str, Any] = {}
    simulated = SimulatedMarket(SimulatedConfig(days=120))
    market = Market({**simulated.market(("BTC", "ETH"), resolution=60), **simulated.market(("BTC", "ETH"))})
    prompts = backtest_prompts("crypto-24h", ["BTC", "ETH"], 1_742_000_100, 1_742_900_000, 39600, 200)
    table = backtest([baseline(name) for name in BASELINES], market, prompts, "crypto-24h").scores
    found["backtest"] = json.loads(table.to_json(orient="values", double_precision=15))
    with tempfile.TemporaryDirectory() as folder:
        for name, settings in SEARCHES.items():
            found[name] = _searched(Path(folder), name, settings)
            winner = load(Path(folder) / name / "winner")
            found[f"{name} served"] = _served(winner, market, name)
    found["fhs served"] = _served(baseline("fhs"), market, "crypto-24h")
    return found


def _searched(folder: Path, name: str, settings: tuple[str, ...]) -> dict[str, Any]:
    result = search(
        ROOT / "configs" / "quickstart.yaml", settings=(*SETTINGS, f"output={folder}", f"name={name}", *settings)
    )
    run = Path(folder) / name
    trials = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines()]
    curves = {
        trial["id"]: {"config": trial["config"], "curve": [rung["score"] for rung in trial["rungs"]]}
        for trial in trials
    }
    hashes = {
        str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((run / "winner").rglob("*"))
        if path.name in ("config.json", "weights.safetensors")
    }
    verdict = result.report["verdict"]
    return {"trials": curves, "bundle": hashes, "verdict": json.loads(json.dumps(verdict))}


def _served(forecaster: Any, market: Any, competition: str) -> str:
    step, length = (300, DAY) if competition == "crypto-24h" else (60, 3600)
    prompt = Prompt(asset="BTC", start_time=1_742_000_100, time_increment=step, time_length=length, num_simulations=100)
    answer = clock.simulate(forecaster, market.as_of(1_742_000_040), prompt, seed=7)
    return hashlib.sha256(encode_reply(answer.paths, prompt)).hexdigest()


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Name every place where two figures differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from differences(old.get(key), new.get(key), f"{path}/{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f"{path}/{index}")
    elif old != new:
        yield f"{path}: {old!r} became {new!r}"


def main() -> int:
    """Record or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("record", "check"))
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    found = json.loads(json.dumps(figures()))
    if options.action == "record":
        options.file.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        return 0
    found = list(differences(json.loads(options.file.read_text()), found))
    print("\n".join(found) or "unchanged")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
