"""A finished run whose verdict is proven by its own figures, on prices that are made up and said to be real.

Only tests may say so. Prices are wild in the hour before every prompt and calm after; baselines believe what they saw
last, and the winner knows better. So every figure, lead and interval is computed, and none is written by hand.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from synthcity.durations import DAY
from synthcity.forecast.baselines import BASELINES, STRONGEST, baseline
from synthcity.forecast.baselines.reference import Reference, ReferenceConfig
from synthcity.forecast.evaluation.backtest import Row, collect, score_prompt
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.named import Named
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import Bars, Market
from synthcity.market.periods import Periods
from synthcity.search.config import SearchConfig, parse_config
from synthcity.search.data import SearchData
from synthcity.search.finals import final
from synthcity.search.finals.choice import stage_seed, why
from synthcity.search.finals.final import DIAGNOSTICS, TEST_SCORES, WINNER
from synthcity.search.finals.samples import keep_samples
from synthcity.search.journal.folder import write_resolved
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.report import page
from synthcity.search.report.outcome import conclude
from synthcity.search.report.seal import seal
from synthcity.sn50.competitions import get_competition, get_rules
from tests.search.builders import candidate, tell

NAME = "c0000"
BEGIN = 1_760_054_400  # 2025-10-10
HISTORY, TEST = 22, 12  # days
EVERY = 13 * 3600  # seconds between prompts
SIGMA = 0.0003  # of a minute, in calm hours


def made_prices(asset: str = "BTC", *, seed: int = 0) -> Market:
    """Bars of one minute."""
    rng = np.random.default_rng(seed)
    count = (HISTORY + TEST + 1) * 1440
    steps = SIGMA * rng.standard_normal(count)
    time = BEGIN - HISTORY * DAY + 60 * np.arange(count, dtype=np.int64)
    steps[(time - BEGIN) % EVERY >= EVERY - 3600] *= 8
    close = 90_000.0 * np.exp(np.cumsum(steps))
    open_ = np.concatenate([[90_000.0], close[:-1]])
    high, low = np.maximum(open_, close) * 1.0001, np.minimum(open_, close) * 0.9999
    return Market({(asset, 60): Bars(time, open_, high, low, close, np.ones(count), 60)})


def config(folder: Path, source: str = "store", **changes: Any) -> SearchConfig:
    plain = {
        "competition": "crypto-1h",
        "name": folder.name,
        "output": str(folder.parent),
        "data": {
            "source": source,
            "path": "prices",
            "assets": ["BTC"],
            "periods": {
                "train": ["2025-09-04", "2025-10-01"],
                "validation": ["2025-10-01", "2025-10-10"],
                "test": ["2025-10-10", "2025-10-22"],
            },
            "validation_every": "3h",
            "test_every": f"{EVERY}s",
        },
        **changes,
    }
    return parse_config(plain)


def made_data(sweep: SearchConfig, market: Market, venue: str) -> SearchData:
    rules = get_rules(sweep.rules)
    periods = sweep.data.periods
    assert isinstance(periods, Periods)
    known = SimpleNamespace(time=market["BTC", 60].observed)
    dataset = SimpleNamespace(spec=SimpleNamespace(increment=60), tables={"BTC": known})
    return SearchData(
        competition=get_competition(sweep.competition, rules),
        rules=rules,
        assets=("BTC",),
        venues=(venue,),
        periods=periods,
        market=market,
        dataset=dataset,  # type: ignore[arg-type] # nothing is trained
        validation_every=int(sweep.data.validation_every),
        test_every=int(sweep.data.test_every),
    )


def winner() -> Forecaster:
    """The volatility of calm hours."""
    return Reference(ReferenceConfig(hourly_sigma={"BTC": SIGMA * 60**0.5}))


def make_run(
    folder: Path, *, seed: int = 0, venue: str = "binance", rules: str | None = None, samples: int = 3
) -> Path:
    """Write a run folder as a search would leave it, and return it."""
    sweep = config(folder, "simulated" if venue == "simulated" else "store", rules=rules)
    data = made_data(sweep, made_prices(seed=seed), venue)
    return finish_run(folder, sweep, data, winner(), samples=samples)


def finish_run(folder: Path, sweep: SearchConfig, data: SearchData, model: Forecaster, *, samples: int) -> Path:
    """Write the run folder of a search that has chosen ``model``, and return it."""
    with Journal(folder) as journal:
        recorder = Recorder(journal)
        write_resolved(folder, sweep)
        _search(recorder, data, sweep, model, folder)
        look = _look(recorder, data, model, folder, seed=sweep.search.seed)
        keep_samples(folder, data, recorder, look, seed=sweep.search.seed, count=samples)
        with mock.patch.object(page, "render", return_value="<html></html>"):  # its pictures leave with no run
            result = conclude(
                folder=folder,
                config=sweep,
                data=data,
                recorder=recorder,
                look=look,
                versions={},
                command="synthcity search",
            )
        seal(recorder, folder)
        recorder.emit("run_finished", winner=result.report["verdict"]["winner"])
    return folder


@functools.cache
def _built() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="proven-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return make_run(folder / "proven")


def copy_run(folder: Path) -> Path:
    """Return a copy of a run that is built once a process."""
    return Path(shutil.copytree(_built(), folder))


def _search(recorder: Recorder, data: SearchData, sweep: SearchConfig, model: Forecaster, folder: Path) -> None:
    recorder.emit(
        "run_started",
        name=folder.name,
        competition=data.competition.name,
        rules=data.rules.date,
        assets=["BTC"],
        trials=1,
        time_budget=None,
        workers=1,
        gpus=0.0,
        command="synthcity search",
        versions={},
        config=sweep.to_dict(),
        version=2,
    )
    recorder.emit("baselines", scores=dict.fromkeys(BASELINES, 101.0))
    for event in tell(candidate(0), 99.0):
        recorder.emit(event.pop("kind"), **{k: v for k, v in event.items() if k != "time"})
    recorder.emit("search_finished", utilisation=1.0)
    scores = {NAME: 99.0, **dict.fromkeys(BASELINES, 101.0)}
    for name, score in scores.items():
        recorder.emit("finalist", name=name, id=NAME if name == NAME else None, score=score)
    recorder.emit("chosen", name=NAME, challenger=NAME, best_single=NAME, best_baseline="fhs", why=why(NAME, scores))
    manifest = {**data.facts.to_manifest(), "winner": NAME, "seed": 0}
    Quantised(_Saving(model, NAME)).save(folder / WINNER, metrics={}, manifest=manifest)
    recorder.emit("winner", name=NAME, bundle=WINNER)


class _Saving(Named):
    """Saves as what it passes on to."""

    def save(self, folder: Path, **extras: Any) -> None:
        self.forecaster.save(folder, **extras)  # type: ignore[attr-defined]


def _look(recorder: Recorder, data: SearchData, model: Forecaster, folder: Path, *, seed: int) -> final.TestLook:
    plain = {name: baseline(name) for name in BASELINES}
    everyone = [
        Named(Quantised(model), NAME),
        Named(model, f"{NAME} plain"),
        *plain.values(),
        *(Quantised(plain[name]) for name in STRONGEST),
    ]
    rows: list[Row] = []
    prompts = data.test_prompts()
    for prompt in prompts:
        rows += score_prompt(everyone, data.market, prompt, data.competition, data.rules, stage_seed(seed, 0))
    scores = collect(rows, prompts, data.competition, data.rules).scores
    final._keep(folder, scores, None)
    recorder.emit(
        "test_scored", scores=TEST_SCORES, diagnostics=DIAGNOSTICS, num_prompts=len(prompts), num_dropped=0, lost={}
    )
    return final.TestLook(scores=scores, diagnostics=None, challenger=NAME)
