"""What an authored component goes through in the locked process: the contract, its own property, a short training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import torch

from synthcity.conformance import Broken
from synthcity.durations import DAY
from synthcity.market.dataset import Dataset, build_dataset
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.times import parse_time
from synthcity.market.windows import WindowSpec
from synthcity.nets import conformance, registry
from synthcity.nets.authored.execution import check_unchanged, execute, packaged_classes
from synthcity.nets.authored.static import PROPERTY
from synthcity.nets.authored.taken import taken_names
from synthcity.nets.authored.words import MODULES, NAMES
from synthcity.nets.registry import Component
from synthcity.nets.training import Trainer

STEPS = 24
_SEEDS = (1, 2, 3)
Property = Callable[[object, object], object]  # of a block and a sequence, or of a head's law and its noise
_CLEARLY_WORSE = 1.05  # a head with many free numbers loses up to two per cent in its first steps
# nothing that these need is loaded by them alone
_SLOW = ("quantiles_are_those_of_the_draws", "nothing_scores_its_own_draws_better_than_the_law")
# a property that all of these have as well says nothing about the one that states it
_OTHERS = {"block": ("dlinear", "gru", "transformer"), "head": ("gbm", "mixture", "quantile")}


def prepare() -> None:
    """Load everything and go once through all of it, with packaged components, while files can still be opened."""
    import importlib

    torch.set_num_threads(1)
    for name in (*MODULES, *NAMES):
        importlib.import_module(name)
    taken_names()
    packaged_classes()  # which looks for what is installed, once
    dlinear, gbm = registry.component("block", "dlinear"), registry.component("head", "gbm")
    for check in conformance.BLOCK_CHECKS.values():
        check(dlinear, {})
    for name, check in conformance.HEAD_CHECKS.items():
        if name not in _SLOW:
            check(gbm, {})
    train(dlinear, steps=2)
    for kind, names in _OTHERS.items():
        for name in names:
            _built(registry.component(kind, name), 1)


def run(payload: Mapping[str, object]) -> dict[str, object]:
    """Try one file: {"kind", "name", "source"} in, {"broken": {check: sentence}, "property", "scores"} out."""
    kind, name = str(payload["kind"]), str(payload["name"])
    before = packaged_classes()
    defined = execute(name, str(payload["source"]))
    entry = registry.component(kind, name)
    stated = defined[PROPERTY]
    broken = conformance.check(entry)
    if not broken:
        broken |= _check("stated_property", lambda: check_property(entry, stated))
    scores: list[float] = []
    if not broken:
        broken |= _check("short_training", lambda: scores.extend(train(entry)))
    broken |= _check("packaged_components_stay_as_they_are", lambda: check_unchanged(before))
    parameters = entry.num_parameters(32) if kind == "block" and not broken else None
    return {
        "broken": broken,
        "property": " ".join(str(stated.__doc__).split()),
        "scores": scores,
        "parameters": parameters,
    }


def _check(name: str, run: Callable[[], None]) -> dict[str, str]:
    try:
        run()
    except Exception as error:  # noqa: BLE001 - its author is told how it failed
        return {name: f"{error}" if isinstance(error, Broken) else f"{type(error).__name__}: {error}"}
    return {}


def check_property(entry: Component, stated: Property) -> None:
    """Demand that the property holds for the component under every seed, and fails for a packaged one.

    Raises:
        Broken: it does not hold, or all components have it.
    """
    for seed in _SEEDS:
        if not _holds(stated, entry, seed):
            raise Broken(f"the property that the file states does not hold (seed {seed})")
    if all(_tells_nothing(stated, registry.component(entry.kind, name)) for name in _OTHERS[entry.kind]):
        others = ", ".join(_OTHERS[entry.kind])
        text = f"the property holds for {others} as well, so it does not show what this {entry.kind} is for"
        raise Broken(text)


def _tells_nothing(stated: Property, other: Component) -> bool:
    try:
        return all(_holds(stated, other, seed) for seed in _SEEDS)
    except Exception:  # noqa: BLE001 - it asks for what only its own component has, which is no behaviour
        return True


def _holds(stated: Property, entry: Component, seed: int) -> bool:
    torch.manual_seed(seed)
    module, noise = _built(entry, seed)
    return bool(stated(module, noise))


def _built(entry: Component, seed: int) -> tuple[object, object]:
    """Return a block and noise (2, 64, 16); or a head's law of three windows and the noise of 200 of its paths."""
    if entry.kind == "block":
        return conformance.build(entry, {}, conformance.CONTEXT).eval(), conformance.noise(2, 64, seed=seed)
    law = conformance.law_of(conformance.build_head(entry, {}).eval())
    return law, law.draw_noise(200, conformance.generator(seed))


def train(entry: Component, steps: int = STEPS) -> list[float]:
    """Train a small network around the component; return its validation scores after one step and after all.

    Raises:
        Broken: a score is not finite, or training has made it clearly worse.
    """
    part = {"name": entry.name}
    training = {"num_paths": 12, "batch_size": 24}
    config: dict[str, object] = {"d_model": 16, "history": 24, "patch": 1, "training": training}
    config |= {"blocks": [part]} if entry.kind == "block" else {"head": part}
    trainer = Trainer(config, dataset(), seed=0, num_rungs=steps, max_steps=steps, device="cpu")
    scores = [trainer.advance()["rung_score"]]
    for _ in range(steps - 1):
        trainer.train_step()
    scores.append(trainer.advance()["rung_score"])
    if not scores[1] < _CLEARLY_WORSE * scores[0]:
        raise Broken(f"{steps} steps of training took the score from {scores[0]:.5g} to {scores[1]:.5g}")
    return scores


@cache
def dataset() -> Dataset:
    """A month of one simulated asset."""
    start = parse_time("2025-01-01")
    market = SimulatedMarket(SimulatedConfig(start="2025-01-01", days=24)).market(("BTC",))
    spec = WindowSpec.of(300, 288)
    return build_dataset(
        market,
        competition="crypto-24h",
        rules="2026-09",
        spec=spec,
        assets=("BTC",),
        train=(start + 7 * DAY, start + 20 * DAY),
        validation=(start + 20 * DAY, start + 23 * DAY),
        validation_every=6 * 3600,
        coefficients={"BTC": 1.0},
    )
