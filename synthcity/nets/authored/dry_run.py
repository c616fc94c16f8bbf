"""The gate's dry run of a candidate with authored parts, in a locked process: no code of theirs runs in the driver.

The process has no prices. It trains on simulated ones of the run's own competition, grid and number of assets, so that
shapes, lengths and options are those of the run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from synthcity.authored.locked.isolation import run_isolated
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.durations import DAY
from synthcity.errors import ConfigError, TrialFailed
from synthcity.market.dataset import Dataset, build_dataset
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.simulated.assets import ASSETS
from synthcity.market.times import parse_time
from synthcity.market.windows import WindowSpec
from synthcity.nets.authored.code import codes_of, install, packaged_classes
from synthcity.nets.training import Trainer
from synthcity.sn50.competitions import get_rules, rule_dates

LIMITS = SandboxLimits(cpu_seconds=90, wall_seconds=240.0)
_FUNCTION = "synthcity.nets.authored.dry_run:run"
_WARM_UP = {"d_model": 16, "history": 24, "blocks": [{"name": "gru"}], "training": {"batch_size": 24, "num_paths": 12}}


def check(config: Mapping[str, object], dataset: Dataset) -> Mapping[str, float]:
    """Do what ``Trainer.check`` does, in a locked process if a language model wrote a part of the candidate."""
    codes = codes_of(config)
    written = any("source" in code for code in codes)  # a part of an installed distribution is a person's choice
    return check_isolated(config, codes, dataset) if written else Trainer.check(dict(config), dataset)


def check_isolated(
    config: Mapping[str, object], codes: Sequence[Mapping[str, str]], dataset: Dataset, limits: SandboxLimits = LIMITS
) -> dict[str, float]:
    """Return what :meth:`Trainer.check` says of ``config``, whose authored parts have the texts ``codes``.

    Raises:
        ConfigError: the configuration is invalid, or no process can be locked here.
        TrialFailed: it fails, reaches for what is forbidden, or is not done in time.
    """
    payload = {
        "config": json.loads(json.dumps(dict(config))),
        "codes": [dict(code) for code in codes],
        "competition": dataset.competition,
        "rules": dataset.rules,
        "increment": dataset.spec.increment,
        "horizon": dataset.spec.horizon,
        "num_assets": len(dataset.assets),
    }
    ending = run_isolated(_FUNCTION, payload, limits)
    if ending.attempts:
        raise TrialFailed(f"it tried to reach what is forbidden: {'; '.join(ending.attempts)}")
    if ending.answer is None:
        raise TrialFailed(ending.reason)
    if "error" in ending.answer:
        kind = ConfigError if ending.answer.get("kind") == "config" else TrialFailed
        raise kind(str(ending.answer["error"]))
    return {name: float(ending.answer[name]) for name in ("parameters", "step_seconds")}


def prepare() -> None:
    """Load everything that a dry run touches while files can still be opened."""
    torch.set_num_threads(1)
    packaged_classes()  # which looks for what is installed, once
    for date in rule_dates():
        get_rules(date)
    for increment, horizon, competition in ((300, 288, "crypto-24h"), (60, 60, "crypto-1h")):
        Trainer.check(_WARM_UP, _dataset(competition, "2026-09", increment, horizon, 1))


def run(payload: Mapping[str, Any]) -> dict[str, object]:
    """Register the texts and check the candidate; see :func:`check_isolated`."""
    try:
        install(payload["codes"])
        names = ("competition", "rules", "increment", "horizon", "num_assets")
        return dict(Trainer.check(dict(payload["config"]), _dataset(*(payload[name] for name in names))))
    except ConfigError as error:
        return {"error": str(error), "kind": "config"}
    except Exception as error:  # noqa: BLE001 - it is foreign, and may fail in any way
        text = str(error) if isinstance(error, TrialFailed) else f"{type(error).__name__}: {error}"
        return {"error": text[:2000], "kind": "trial"}


def _dataset(competition: str, rules: str, increment: int, horizon: int, num_assets: int) -> Dataset:
    spec = WindowSpec.of(increment, horizon)
    start, warm_up = parse_time("2025-01-01"), round(spec.warmup_days + 1) * DAY
    days = warm_up // DAY + 8
    # assets without sessions have complete windows everywhere; more of them than there are are the same again
    names = [asset for asset in ASSETS if asset in ("BTC", "ETH", "SOL", "XRP", "HYPE")]
    market = SimulatedMarket(SimulatedConfig(start="2025-01-01", days=days)).market(names, resolution=increment)
    assets = [f"A{number}" for number in range(num_assets)]
    bars = {(asset, increment): market[names[n % len(names)], increment] for n, asset in enumerate(assets)}
    return build_dataset(
        type(market)(bars),
        competition=competition,
        rules=rules,
        spec=spec,
        assets=assets,
        train=(start + warm_up, start + warm_up + 4 * DAY),
        validation=(start + warm_up + 4 * DAY, start + days * DAY),
        validation_every=6 * 3600,
        coefficients=dict.fromkeys(assets, 1.0),
    )
