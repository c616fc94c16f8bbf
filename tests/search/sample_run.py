"""A made-up finished search: a journal and scores on a test period, with a known lead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synthcity.forecast.evaluation.diagnostics import Diagnostics
from synthcity.forecast.evaluation.regimes import lead_by_group
from synthcity.search.finals.choice import why
from synthcity.search.journal.history import TrialHistory
from synthcity.search.report.model import Report
from synthcity.search.report.report import build_report
from synthcity.sn50.prompt import Prompt

ASSETS = {"BTC": 3474.0, "ETH": 5033.0, "SOL": 5649.0, "XRP": 5139.0, "HYPE": 8394.0}
BASELINES = {"fhs": 1.0, "ewma": 1.013, "trailing": 1.022, "reference": 1.0425}
BEGIN = 1_760_000_000.0
BLOCKS = ("lstm", "tcn", "transformer")


def journal(num_trials: int = 24, *, seed: int = 0) -> list[dict[str, Any]]:
    """Events of a search on two workers; every eighth trial fails, every third other one is stopped."""
    rng = np.random.default_rng(seed)
    events: list[dict[str, Any]] = [
        {
            "kind": "run_started",
            "name": "sweep",
            "competition": "crypto-24h",
            "rules": "2026-09",
            "assets": list(ASSETS),
            "trials": num_trials,
            "time_budget": 1200.0,
            "workers": 2,
            "time": BEGIN,
        },
        {
            "kind": "baselines",
            "scores": {name: 5538.0 * ratio for name, ratio in BASELINES.items()},
            "time": BEGIN,
        },
        {"kind": "stage", "name": "search", "message": "searching", "time": BEGIN + 1},
    ]
    clocks = [BEGIN + 2, BEGIN + 2]
    for at in range(num_trials):
        worker = at % 2
        events += trial_events(f"c{at:04d}", at, clocks[worker], rng)
        clocks[worker] = max(clocks[worker] + 1, events[-1]["time"])
    refused = (("duplicate", "the same network as c0003"), ("config", "d_model 47 is odd"), ("duplicate", "as c0004"))
    for stage, reason in refused:
        rejected = {"kind": "rejected", "source": "tpe", "stage": stage, "reason": reason, "config": {"d_model": 48}}
        events.append({**rejected, "time": BEGIN + 50})
    events += final_events(max(event["time"] for event in events) + 1)
    return sorted(events, key=lambda event: event["time"])


def final_events(now: float) -> list[dict[str, Any]]:
    """The mix was fitted, everyone scored on fresh prompts, the mix frozen."""
    scores = {"c0001": 5512.0, "c0003": 5515.0, "mix-3": 5509.0, **{n: 5540.0 * r for n, r in BASELINES.items()}}
    chosen = {"name": "mix-3", "challenger": "mix-3", "best_single": "c0001", "best_baseline": "fhs"}
    return [
        {"kind": "mix", "members": ["c0001", "c0003"], "weights": [0.7, 0.3], "time": now},
        *({"kind": "finalist", "name": n, "id": None, "score": score, "time": now + 1} for n, score in scores.items()),
        {"kind": "chosen", **chosen, "why": why("mix-3", scores), "time": now + 2},
        {"kind": "winner", "name": "mix-3", "bundle": "winner", "time": now + 2},
    ]


def trial_events(name: str, at: int, now: float, rng: np.random.Generator) -> list[dict[str, Any]]:
    config = {
        "d_model": int(rng.choice([16, 32, 48])),
        "history": 48,
        "blocks": [{"name": BLOCKS[rng.integers(3)]} for _ in range(1 + at % 3)],
        "head": {"name": "gbm", "innovation": "student"},
    }
    source = ("author", "tpe", "random")[0 if at < 4 else 1 + at % 2]
    parent = None if at < 6 else f"c{at - 5:04d}"
    hashed = {
        "kind": "candidate",
        "id": name,
        "index": at,
        "source": source,
        "parent": parent,
        "config": config,
        "hash": name,
    }
    events: list[dict[str, Any]] = [{**hashed, "time": now}, {"kind": "trial_started", "id": name, "time": now}]
    if at % 8 == 5:
        failure = {
            "class": "TrialFailed",
            "message": "the loss is not finite\nat step 40",
            "traceback": "Traceback <x>",
        }
        return [*events, finished(name, "failed", None, now + 4, failure)]
    floor = 5538.0 * (1 - 0.004 - 0.002 * rng.random())
    num_rungs = 2 if at % 3 == 2 else 4
    for rung in range(1, num_rungs + 1):
        now += 22.0
        score = floor * (1 + 0.05 * float(np.exp(-1.3 * rung)) + 0.001 * rng.normal())
        events.append(
            {
                "kind": "rung",
                "id": name,
                "rung": rung,
                "num_rungs": 4,
                "score": score,
                "scores_by_asset": {},
                "train_loss": 1.0 - 0.05 * rung,
                "steps": 375 * rung,
                "seconds": 21.0,
                "train_seconds": 17.0,
                "validation_seconds": 4.0,
                "parameters": int(rng.integers(4000, 90000)),
                "time": now,
            }
        )
    return [*events, finished(name, "completed" if num_rungs == 4 else "stopped", score, now, None)]


def finished(name: str, status: str, score: float | None, now: float, failure: Any) -> dict[str, Any]:
    event = {"kind": "trial_finished", "id": name, "status": status, "score": score, "seconds": 80.0}
    return {**event, "failure": failure, "time": now}


def repair_events() -> list[dict[str, Any]]:
    """What became of the failures of ``journal``: c0005 is patched, c0013 sets a limit, c0021 is given up."""
    now = BEGIN + 1000
    config = {"d_model": 16, "history": 64, "blocks": [{"name": "lstm"}], "head": {"name": "gbm"}}
    patch = "nan (catalogue): training.learning_rate 0.004 to 0.001"
    child = {
        "id": "c0024",
        "index": 24,
        "hash": "c0024",
        "source": "debugger",
        "parent": "c0005",
        "rationale": patch,
        "config": config,
        "usd": 0.0,
    }
    rung = {"id": "c0024", "rung": 1, "num_rungs": 4, "score": 5520.0, "steps": 375, "seconds": 21.0, "parameters": 99}
    reason = "in nothing smaller than c0013, which ran out of time"
    return [
        {"kind": "candidate", **child, "time": now},
        {"kind": "rung", **rung, "time": now + 1},
        {"kind": "trial_finished", "id": "c0024", "status": "stopped", "score": 5520.0, "time": now + 2},
        {
            "kind": "diagnosis",
            **diagnosis("c0013", "time", "limit", "catalogue", "it needs more time"),
            "time": now + 3,
        },
        {"kind": "diagnosis", **diagnosis("c0021", "unknown", "leave", "model", "no <patch>", 0.003), "time": now + 3},
        {"kind": "rejected", "source": "tpe", "stage": "limit", "reason": reason, "config": config, "time": now + 4},
    ]


def diagnosis(name: str, cause: str, action: str, by: str, reason: str, usd: float = 0.0) -> dict[str, Any]:
    told = {"id": name, "fingerprint": "0" * 12, "cause": cause, "action": action}
    return {**told, "by": by, "reason": reason, "usd": usd}


def made_scores(*, lead: float = -0.6, num_prompts: int = 131, seed: int = 1) -> pd.DataFrame:
    """Long-form scores in which "mix-3" leads fhs by ``lead`` percent, with noise."""
    rng = np.random.default_rng(seed)
    rows = []
    for asset, level in ASSETS.items():
        for at in range(num_prompts):
            start = 1_761_955_200 + at * 11 * 3600
            base = level * float(np.exp(0.35 * rng.normal()))
            hour = 0.4 * np.sin(start % 86400 / 86400 * 2 * np.pi)
            names = {**BASELINES, "mix-3": 1 + (lead + hour) / 100}
            rows += [(asset, start, name, base * (ratio + 0.012 * rng.normal())) for name, ratio in names.items()]
    return pd.DataFrame(rows, columns=["asset", "start_time", "forecaster", "total"])


def lead_tables(scores: pd.DataFrame, spread: float = 0.2) -> dict[str, Any]:
    """Leads of "mix-3" with intervals of a fixed width, which is all a page needs."""
    mean = scores.groupby(["forecaster", "asset"], sort=False)["total"].mean()
    tables = {}
    for name in BASELINES:
        by_asset = {a: 100 * float(mean["mix-3", a] / mean[name, a] - 1) for a in ASSETS}
        total = float(np.mean(list(by_asset.values())))
        tables[name] = {
            **interval(total, spread),
            "by_asset": {asset: interval(value, 2 * spread) for asset, value in by_asset.items()},
        }
    return tables


def interval(mean: float, spread: float) -> dict[str, Any]:
    return {"mean": mean, "low": mean - spread, "high": mean + spread}


def diagnostics(num_prompts: int = 30) -> dict[str, Any]:
    collected = Diagnostics((300, 1800, 10800), levels=(3600, 86400), rival="fhs+q")
    for at in range(num_prompts):
        for which, asset in enumerate(list(ASSETS)[:3]):
            rng = np.random.default_rng([at, which])
            prompt = Prompt(asset=asset, start_time=1_761_955_200 + at * 11 * 3600, num_simulations=200)
            season = 1 + 0.6 * np.sin(np.arange(288) / 288 * 2 * np.pi + at)
            width = 9e-4 * season
            paths = walk(rng, 200, width, 100.0 * 7**which)
            realised = walk(rng, 1, width * np.exp(0.3 * rng.normal()), 100.0 * 7**which)[0]
            collected.add(prompt, paths, realised, walk(rng, 100, 1.5 * width, 100.0 * 7**which))
    return collected.result()


def walk(rng: np.random.Generator, count: int, width: np.ndarray, price: float) -> np.ndarray:
    steps = rng.standard_t(5, (count, 288)) * width * 0.77
    return price * np.exp(np.hstack([np.zeros((count, 1)), np.cumsum(steps, axis=1)]))


def arm_row(name: str, usd: float = 0.0, reason: str = "") -> dict[str, Any]:
    points = [
        {"proposals": n, "share": 0.5, "reward": None if n == 1 else 0.4, "usd": usd * n / 8} for n in range(1, 9)
    ]
    row = {"name": name, "proposals": 4, "refused": 1, "share": 0.5, "reward": 0.4, "seconds": 80.0, "usd": usd}
    told = {"questions": 2, "in_vain": 1, "away": 3, "state": "open", "reason": reason}
    return {**row, **told, "curve": points}


def sample_report(**changes: Any) -> Report:
    """A whole report; ``changes`` replace arguments of ``build_report``."""
    scores = made_scores()
    volatility = {
        (a, s): float(h % 7) for h, (a, s) in enumerate(zip(scores["asset"], scores["start_time"], strict=True))
    }
    arguments: dict[str, Any] = {
        "history": TrialHistory.replay(journal()),
        "scores": scores,
        "challenger": "mix-3",
        "baselines": list(BASELINES),
        "leads": lead_tables(scores),
        "weights": {},
        "diagnostics": diagnostics(6),
        "groups": lead_by_group(scores, "mix-3", "fhs", volatility, weights={}),
        "config": {
            "competition": "crypto-24h",
            "data": {"periods": {"train": ["2025-01-01", "2025-08-01"], "test": ["2025-11-01", "2026-01-01"]}},
            "search": {"seed": 7, "trials": 24, "max_blocks": 3},
        },
        "versions": {"synthcity": "0.1.0", "python": "3.11.9"},
        "arms": [arm_row("tpe"), arm_row("llm.refine", 0.012, "cold <model>")],
        "command": "synthcity search configs/sweep.yaml --set search.seed=7",
    }
    return build_report(**{**arguments, **changes})
