"""Some test prompts of the one look, kept so that the frozen bundle can be scored again without the price store.

The figures that are kept are those of the bundle as it lies on the disk, from the prices that are kept; they must be
those of the look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from synthcity.errors import DataError, RunError
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.evaluation.samples import (
    SAMPLES,
    Sample,
    Samples,
    differs,
    everyone,
    part_of,
    save_samples,
    score_again,
    spread,
    this_machine,
)
from synthcity.forecast.forecaster import Forecaster
from synthcity.market.bars import Market
from synthcity.search.data import SearchData
from synthcity.search.finals.choice import stage_seed
from synthcity.search.finals.final import WINNER, TestLook
from synthcity.search.journal.events import Chosen
from synthcity.search.journal.recorder import Recorder
from synthcity.sn50.prompt import Prompt

COUNT = 20
_DAYS = (70, 140, 420, None)  # of prices before the first prompt: as few as what is frozen needs


def keep_samples(
    folder: Path, data: SearchData, recorder: Recorder, look: TestLook, *, seed: int, count: int = COUNT
) -> None:
    """Keep about ``count`` prompts of the look in ``folder``, or tell why they cannot be.

    Nothing is kept where a baseline was frozen, since it is never published.

    Raises:
        RunError: the disk refuses.
    """
    choice, path = recorder.last(Chosen), folder / SAMPLES
    try:
        path.unlink(missing_ok=True)  # those of finals that were held before
        if choice is None or choice["name"] != look.challenger:
            return
        looked_at = sorted(set(look.scores["forecaster"]))
        forecasters = everyone(load(folder / WINNER, trust_code=True), choice["name"], looked_at)
        with _one_thread():
            found = _reproduced(forecasters, data, look.scores, choice["name"], seed=stage_seed(seed, 0), count=count)
        if found is not None:
            save_samples(path, *found)
            return
    except OSError as error:
        raise RunError(f"cannot write the test prompts to {folder}: {error.strerror or error}") from error
    recorder.emit(
        "degraded",
        note="The frozen bundle does not come to the figures of the look on the same test prompts again, so this run "
        "cannot be published.",
    )


def _reproduced(
    forecasters: Sequence[Forecaster], data: SearchData, scores: pd.DataFrame, challenger: str, *, seed: int, count: int
) -> tuple[Samples, Market] | None:
    """Return the prompts with the shortest past from which everybody scores on them as in the look, None without."""
    rows = scores.set_index(["asset", "start_time", "forecaster"])["total"]
    names = [forecaster.name for forecaster in forecasters]
    samples = Samples(
        competition=data.competition.name,
        rules=data.rules.date,
        seed=seed,
        challenger=challenger,
        machine=this_machine(),
        prompts=tuple(
            Sample(
                asset=asset,
                start_time=start,
                time_increment=data.competition.time_increment,
                time_length=data.competition.time_length,
                num_simulations=Prompt(asset=asset, start_time=start).num_simulations,
                scores={name: float(rows[asset, start, name]) for name in names},
            )
            for asset, start in spread(scores, count)
        ),
    )
    for days in _DAYS:
        market = part_of(data.market, [sample.prompt for sample in samples.prompts], days)
        try:
            again = [totals for _, totals in score_again(samples, market, forecasters)]
        except DataError:
            continue  # too short a past
        told = [sample.scores for sample in samples.prompts]
        if not any(
            differs(new[name], old[name], exactly=False) for old, new in zip(told, again, strict=True) for name in names
        ):
            kept = zip(samples.prompts, again, strict=True)
            return replace(samples, prompts=tuple(replace(one, scores=new) for one, new in kept)), market
    return None


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let networks compute on one thread meanwhile: several add up in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
