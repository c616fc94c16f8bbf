"""Training one candidate on the network's own score, rung by rung."""

from __future__ import annotations

import ctypes
import math
import sys
import time
from functools import cache
from typing import NotRequired, TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthcity.durations import DAY
from synthcity.errors import ConfigError, TrialFailed, TrialTimeout
from synthcity.market.dataset import Dataset
from synthcity.nets import state as states
from synthcity.nets.authored.walled_fit import WalledFit
from synthcity.nets.authored.walled_network import AnyNetwork
from synthcity.nets.config import NetConfig
from synthcity.nets.dependence import asset_correlation
from synthcity.nets.fit import Fit, Fitting, Tensors
from synthcity.nets.loss import BASIS_POINTS
from synthcity.nets.network import Batch, make_batch
from synthcity.nets.validation import Block, Validation, WindowScores
from synthcity.sn50.competitions import get_competition, get_rules

_PATIENCE = 3
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


class Rung(TypedDict):
    """What one rung of a training came to; scores are better when lower, times are in seconds."""

    rung: int
    score: float
    rung_score: float
    scores_by_asset: dict[str, float]
    scores_by_interval: dict[str, float]
    scores_by_hour: dict[str, float]
    blocks: list[Block]  # of days, the same for every network: paired differences come from them
    train_loss: float
    steps: int
    train_seconds: float
    validation_seconds: float
    validation_paths: int
    seconds: float
    parameters: int
    done: bool
    isolation: NotRequired[str]  # what held the process that trained it, on a CPU, where a model wrote a part


class Trainer:
    """Fits one network in ``num_rungs`` equal parts of one schedule over what it trains of ``max_steps`` steps.

    A shorter training has as many rungs, so that a rung of it is as far through its schedule as that of a longer one.
    All randomness is a function of ``seed`` and the step, so a trainer that resumes from ``state()`` continues to the
    same weights. The score of a rung is that of an exponential moving average of the weights; the best average is kept.
    A network with parts that a language model wrote is fitted in a locked process, on one thread of the CPU: it is
    handed training windows, and validation windows without what came after them; scores are made here.
    """

    def __init__(
        self,
        config: dict[str, object] | NetConfig,
        dataset: Dataset,
        *,
        seed: int,
        num_rungs: int,
        max_steps: int,
        state: bytes | None = None,
        device: str | None = None,
        rung_seconds: float | None = None,
    ) -> None:
        """Args: ``rung_seconds`` is the most that the training of a rung may take, None for any time.

        On a CPU it is time of this thread, which does not count the waiting that busy neighbours cause.
        """
        keep_memory()
        self._config = config if isinstance(config, NetConfig) else NetConfig.from_dict(config)
        self._dataset = dataset
        self._seed = seed
        self._num_rungs = num_rungs
        self._max_steps = max_steps = self._config.training.trained(max_steps)
        self._rung_seconds = math.inf if rung_seconds is None else rung_seconds
        named = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._device = torch.device("cpu" if self._config.is_authored else named)
        competition = get_competition(dataset.competition, get_rules(dataset.rules))
        self._validation = Validation(dataset, competition, self._device)
        self._tables = [dataset.tables[asset] for asset in dataset.assets]
        self._train = [dataset.train[asset] for asset in dataset.assets]
        self._chances = _chances(dataset, self._config.training.half_life)
        what = Fitting(
            config=self._config,
            spec=dataset.spec,
            competition=dataset.competition,
            rules=dataset.rules,
            weights=_asset_weights(dataset),
            correlation=asset_correlation(dataset),
            seed=seed,
            max_steps=max_steps,
        )
        self._fit = WalledFit(what) if self._config.is_authored else Fit(what, self._device)
        self._best: Tensors | None = None  # the average itself until there is a score
        self._scores: list[float] = []
        if state is not None:
            self._restore(state)

    @classmethod
    def check(cls, config: dict[str, object], dataset: Dataset) -> dict[str, float]:
        """Run one tiny step of ``config`` and time real ones: ``parameters``, and ``step_seconds`` of one CPU.

        Seconds are this thread's CPU time, which does not count the waiting that busy neighbours cause.

        Raises:
            ConfigError: the configuration is invalid.
            TrialFailed: the loss is not finite or a parameter gets no gradient.
        """
        trainer = cls(config, dataset, seed=0, num_rungs=1, max_steps=10, device="cpu")
        loss, dead = trainer._fit.probe(trainer._sample(2), 12)
        if not math.isfinite(loss):
            raise TrialFailed(f"the loss of the first step is {loss}")
        if dead:
            raise TrialFailed(f"{len(dead)} parameters get no gradient, first {dead[0]}")
        return {"parameters": trainer.network.num_parameters, "step_seconds": trainer._time_steps()}

    def _time_steps(self) -> float:
        """CPU seconds of the faster of two training steps on one thread; the first also warms up."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            marks = [self._fit.seconds()]
            for _ in range(2):
                self.train_step()
                marks.append(self._fit.seconds())
        finally:
            torch.set_num_threads(threads)
        return min(marks[1] - marks[0], marks[2] - marks[1])

    @property
    def network(self) -> AnyNetwork:
        """The network that is trained."""
        return self._fit.network

    @property
    def rung(self) -> int:
        """Rungs finished so far."""
        return len(self._scores)

    def advance(self) -> Rung:
        """Train one rung, validate, and report it.

        Raises:
            TrialFailed: the loss became NaN or infinite.
            TrialTimeout: the rung took longer than it may, seen after the step that was too much.
        """
        begin = time.perf_counter()
        started = self._fit.seconds()
        first, until = self._fit.steps, round(self._max_steps * (self.rung + 1) / self._num_rungs)
        total = torch.zeros((), device=self._device)
        while self._fit.steps < until:
            total += self.train_step()
            if self._fit.seconds() - started > self._rung_seconds:
                done = f"{self._fit.steps - first} of {until - first} steps of rung {self.rung + 1}"
                raise TrialTimeout(f"the training timed out: {done} took longer than {self._rung_seconds:.3g} s")
        train_loss = total.item() / max(1, until - first)
        if not math.isfinite(train_loss):
            raise TrialFailed(f"the training loss became {train_loss} between steps {first} and {until}")
        trained = time.perf_counter()
        found = self.validate()
        score = found.score
        if not math.isfinite(score):
            raise TrialFailed(f"the validation score became {score} at step {until}")
        if score < min(self._scores, default=math.inf):
            self._best = {name: value.clone() for name, value in self._fit.average.items()}
        self._scores.append(score)
        stale = self.rung - 1 - int(np.argmin(self._scores))
        end = time.perf_counter()
        rung: Rung = {
            "rung": self.rung,
            "score": min(self._scores),
            "rung_score": score,
            "scores_by_asset": found.by_asset,
            "scores_by_interval": found.by_interval,
            "scores_by_hour": found.by_hour,
            "blocks": found.blocks,
            "train_loss": train_loss,
            "steps": self._fit.steps,
            "train_seconds": trained - begin,
            "validation_seconds": end - trained,
            "validation_paths": self._validation.num_paths,
            "seconds": end - begin,
            "parameters": self.network.num_parameters,
            "done": self.rung >= self._num_rungs or stale >= _PATIENCE,
        }
        if isinstance(self._fit, WalledFit):
            rung["isolation"] = self._fit.isolation
        return rung

    def fit(self, rungs: int) -> int:
        """Train ``rungs`` rungs without looking at validation and return the number of steps.

        Raises:
            TrialFailed: the loss became NaN or infinite.
        """
        until = round(self._max_steps * rungs / self._num_rungs)
        while self._fit.steps < until:
            loss = self.train_step()
        if not math.isfinite(loss.item()):
            raise TrialFailed(f"the training loss became {loss.item()} before step {until}")
        self._best = self._fit.average
        return self._fit.steps

    def state(self) -> bytes:
        """Everything needed to resume or to forecast, as safetensors bytes."""
        best = self._fit.average if self._best is None else self._best
        tensors = {**self._fit.tensors(), **{f"best.{name}": value for name, value in best.items()}}
        meta = states.Meta(
            config=self._config.to_dict(),
            competition=self._dataset.competition,
            rules=self._dataset.rules,
            spec=self._dataset.spec,
            assets=self._dataset.assets,
            seed=self._seed,
            step=self._fit.steps,
            scores=tuple(self._scores),
        )
        return states.dump(tensors, meta)

    def _restore(self, blob: bytes) -> None:
        tensors, meta = states.parse(blob)
        if meta.config != self._config.to_dict() or meta.assets != self._dataset.assets:
            raise ConfigError("the saved state belongs to another candidate or to other assets")
        self._fit.restore(tensors, meta.step)
        self._best = {name: value.to(self._device) for name, value in states.group(tensors, "best").items()}
        self._scores = list(meta.scores)

    def _sample(self, size: int) -> Batch:
        # by seed and step alone, so that a resumed training sees the windows it would have seen
        rng = np.random.default_rng([self._seed, self._fit.steps])
        assets = np.sort(rng.integers(len(self._tables), size=size))
        starts = np.array([self._start(a, u) for a, u in zip(assets, rng.random(size), strict=True)])
        return make_batch(self._tables, assets, starts, self._config.steps, self._dataset.spec).to(self._device)

    def _start(self, asset: int, u: float) -> int:
        """Return the window of an asset that a uniform number draws."""
        starts = self._train[asset]
        if self._chances is None:
            return int(starts[int(u * len(starts))])
        chances = self._chances[asset]
        return int(starts[np.searchsorted(chances, u * chances[-1], side="right").clip(max=len(starts) - 1)])

    def train_step(self) -> Tensor:
        """Take one step and return its loss, without waiting for the device."""
        return self._fit.step(self._sample(self._config.training.batch_size))

    def validate(self) -> WindowScores:
        """Score the average of the weights."""
        with self._fit.averaged() as network:
            return self._validation.score(network)


def _asset_weights(dataset: Dataset) -> tuple[float, ...]:
    """Coefficients, scaled so that a typical loss is about one."""
    coefficient = np.array([dataset.coefficients[asset] for asset in dataset.assets])
    weight = coefficient / (coefficient.mean() * BASIS_POINTS * dataset.spec.horizon)
    return tuple(weight.tolist())


def _chances(dataset: Dataset, half_life: int) -> list[NDArray[np.float64]] | None:
    """Return by asset the sums of the chances of its windows, which halve with every ``half_life`` days of age."""
    if not half_life:
        return None
    days = dataset.spec.increment / DAY
    trains = (dataset.train[asset] for asset in dataset.assets)
    return [np.exp2((starts - starts[-1]) * days / half_life).cumsum() for starts in trains]


@cache
def keep_memory() -> None:
    """Have glibc keep what a step frees for the next one, where it would give it back to the system in between.

    Fetching the pages anew took up to a quarter of a small network's step. Elsewhere than with glibc nothing happens.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "mallopt"):
        library.mallopt(_M_TRIM_THRESHOLD, 1 << 30)
        library.mallopt(_M_MMAP_THRESHOLD, 1 << 25)
