"""Training one candidate on the network's own score, rung by rung."""

from __future__ import annotations

import ctypes
import math
import sys
import time
from functools import cache
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor

from synthcity.errors import ConfigError, TrialFailed, TrialTimeout
from synthcity.market.dataset import Dataset
from synthcity.nets import state as states
from synthcity.nets.config import NetConfig
from synthcity.nets.dependence import asset_correlation
from synthcity.nets.heads.law import Law
from synthcity.nets.loss import BASIS_POINTS, ScoreLoss
from synthcity.nets.network import Batch, Network, make_batch
from synthcity.nets.validation import Block, Validation, WindowScores
from synthcity.seeds import mix_seed
from synthcity.sn50.competitions import get_competition, get_rules

_WARM_UP = 0.1
_CLIP_NORM = 1.0
_EMA_DECAY = 0.99
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


class Trainer:
    """Fits one network in ``num_rungs`` equal parts of one learning-rate cycle over ``max_steps`` steps.

    All randomness is a function of ``seed`` and the step, so a trainer that resumes from ``state()`` continues to the
    same weights. The score of a rung is that of an exponential moving average of the weights; the best average is kept.
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
        self._max_steps = max_steps
        self._rung_seconds = math.inf if rung_seconds is None else rung_seconds
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._competition = get_competition(dataset.competition, get_rules(dataset.rules))
        self._loss = ScoreLoss(self._competition)
        self._validation = Validation(dataset, self._competition, self._device)
        self._tables = [dataset.tables[asset] for asset in dataset.assets]
        self._train = [dataset.train[asset] for asset in dataset.assets]
        torch.manual_seed(seed)
        self.network = Network(self._config, dataset.spec, len(dataset.assets)).to(self._device)
        self.network.correlation.copy_(asset_correlation(dataset))
        self._ema = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self._best = self._ema
        training = self._config.training
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(),
            lr=training.learning_rate,
            weight_decay=training.weight_decay,
            betas=(0.9, 0.98),
        )
        self._weight_a = self._asset_weights()
        self._step = 0
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
        loss = trainer._batch_loss(trainer._sample(2), 12)
        loss.backward()
        if not math.isfinite(loss.item()):
            raise TrialFailed(f"the loss of the first step is {loss.item()}")
        dead = [name for name, p in trainer.network.named_parameters() if p.grad is None]
        if dead:
            raise TrialFailed(f"{len(dead)} parameters get no gradient, first {dead[0]}")
        return {"parameters": trainer.network.num_parameters, "step_seconds": trainer._time_steps()}

    def _time_steps(self) -> float:
        """CPU seconds of the faster of two training steps on one thread; the first also warms up."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            marks = [time.thread_time()]
            for _ in range(2):
                self.train_step()
                marks.append(time.thread_time())
        finally:
            torch.set_num_threads(threads)
        return min(marks[1] - marks[0], marks[2] - marks[1])

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
        clock = time.thread_time if self._device.type == "cpu" else time.perf_counter
        started = clock()
        first, until = self._step, round(self._max_steps * (self.rung + 1) / self._num_rungs)
        total = torch.zeros((), device=self._device)
        self.network.train()
        while self._step < until:
            total += self.train_step()
            if clock() - started > self._rung_seconds:
                done = f"{self._step - first} of {until - first} steps of rung {self.rung + 1}"
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
            self._best = {name: value.clone() for name, value in self._ema.items()}
        self._scores.append(score)
        stale = self.rung - 1 - int(np.argmin(self._scores))
        end = time.perf_counter()
        return {
            "rung": self.rung,
            "score": min(self._scores),
            "rung_score": score,
            "scores_by_asset": found.by_asset,
            "scores_by_interval": found.by_interval,
            "scores_by_hour": found.by_hour,
            "blocks": found.blocks,
            "train_loss": train_loss,
            "steps": self._step,
            "train_seconds": trained - begin,
            "validation_seconds": end - trained,
            "validation_paths": self._validation.num_paths,
            "seconds": end - begin,
            "parameters": self.network.num_parameters,
            "done": self.rung >= self._num_rungs or stale >= _PATIENCE,
        }

    def fit(self, rungs: int) -> int:
        """Train ``rungs`` rungs without looking at validation and return the number of steps.

        Raises:
            TrialFailed: the loss became NaN or infinite.
        """
        until = round(self._max_steps * rungs / self._num_rungs)
        self.network.train()
        while self._step < until:
            loss = self.train_step()
        if not math.isfinite(loss.item()):
            raise TrialFailed(f"the training loss became {loss.item()} before step {until}")
        self._best = self._ema
        return self._step

    def state(self) -> bytes:
        """Everything needed to resume or to forecast, as safetensors bytes."""
        tensors: dict[str, Tensor] = {}
        for prefix, group in (("last", self.network.state_dict()), ("ema", self._ema), ("best", self._best)):
            tensors.update({f"{prefix}.{name}": value for name, value in group.items()})
        for name, parameter in self.network.named_parameters():
            for key, value in self._optimizer.state[parameter].items():
                tensors[f"adam.{key}.{name}"] = value
        meta = states.Meta(
            config=self._config.to_dict(),
            competition=self._dataset.competition,
            rules=self._dataset.rules,
            spec=self._dataset.spec,
            assets=self._dataset.assets,
            seed=self._seed,
            step=self._step,
            scores=tuple(self._scores),
        )
        return states.dump(tensors, meta)

    def _restore(self, blob: bytes) -> None:
        tensors, meta = states.parse(blob)
        if meta.config != self._config.to_dict() or meta.assets != self._dataset.assets:
            raise ConfigError("the saved state belongs to another candidate or to other assets")
        self.network.load_state_dict(states.group(tensors, "last"))
        self._ema = {name: v.to(self._device) for name, v in states.group(tensors, "ema").items()}
        self._best = {name: v.to(self._device) for name, v in states.group(tensors, "best").items()}
        for name, parameter in self.network.named_parameters():
            moments = {key: tensors[f"adam.{key}.{name}"] for key in ("exp_avg", "exp_avg_sq", "step")}
            # AdamW counts its steps on the CPU, wherever the weights are
            self._optimizer.state[parameter] = {
                key: value if key == "step" else value.to(self._device) for key, value in moments.items()
            }
        self._step, self._scores = meta.step, list(meta.scores)

    def _asset_weights(self) -> Tensor:
        """Coefficients, scaled so that a typical loss is about one."""
        coefficient = np.array([self._dataset.coefficients[asset] for asset in self._dataset.assets])
        weight = coefficient / (coefficient.mean() * BASIS_POINTS * self._dataset.spec.horizon)
        return torch.tensor(weight, dtype=torch.float32, device=self._device)

    def _sample(self, size: int) -> Batch:
        # by seed and step alone, so that a resumed training sees the windows it would have seen
        rng = np.random.default_rng([self._seed, self._step])
        assets = np.sort(rng.integers(len(self._tables), size=size))
        starts = np.array(
            [self._train[a][int(u * len(self._train[a]))] for a, u in zip(assets, rng.random(size), strict=True)]
        )
        return make_batch(self._tables, assets, starts, self._config.steps, self._dataset.spec).to(self._device)

    def _batch_loss(self, batch: Batch, num_paths: int) -> Tensor:
        law = self._law(batch)
        paths, weight_bk = law.sample_strata(num_paths, generator=self._generator(self._step))
        paths = paths * batch.anchor[:, None, None]
        score_b = self._loss.per_window(paths, batch.realised, weight_bk)
        # in units of the window's own volatility, so that calm days teach as much as wild ones
        return (score_b * self._weight_a[batch.asset] / batch.anchor).mean()

    def _law(self, batch: Batch) -> Law:
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda"):
            law: Law = self.network(batch)
        return law

    def _generator(self, number: int) -> torch.Generator:
        return torch.Generator(self._device).manual_seed(mix_seed(self._seed, number))

    def train_step(self) -> Tensor:
        """Take one step and return its loss, without waiting for the device."""
        torch.manual_seed(mix_seed(self._seed, self._step, 1))  # dropout
        training = self._config.training
        for group in self._optimizer.param_groups:
            group["lr"] = training.learning_rate * cycle(self._step / self._max_steps)
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._batch_loss(self._sample(training.batch_size), training.num_paths)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP_NORM)
        self._optimizer.step()
        self._step += 1
        self._average()
        return loss.detach()

    def _average(self) -> None:
        """Move the average of the weights; a young one forgets its start faster."""
        decay = min(_EMA_DECAY, self._step / (self._step + 10))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self._ema[name].lerp_(value, 1 - decay)

    def validate(self) -> WindowScores:
        """Score the average of the weights."""
        last = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self._ema)
        self.network.eval()
        found = self._validation.score(self.network)
        self.network.load_state_dict(last)
        return found


def cycle(progress: float) -> float:
    """One learning-rate cycle: linear warm-up over the first tenth, then half a cosine down to zero."""
    if progress < _WARM_UP:
        return (progress + 0.01) / (_WARM_UP + 0.01)
    return 0.5 * (1 + math.cos(math.pi * (progress - _WARM_UP) / (1 - _WARM_UP)))


@cache
def keep_memory() -> None:
    """Have glibc keep what a step frees for the next one, where it would give it back to the system in between.

    Fetching the pages anew took up to a quarter of a small network's step. Elsewhere than with glibc nothing happens.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "mallopt"):
        library.mallopt(_M_TRIM_THRESHOLD, 1 << 30)
        library.mallopt(_M_MMAP_THRESHOLD, 1 << 25)
