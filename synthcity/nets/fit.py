"""One network in training: its weights, their moving average, the optimiser, and what one step does to them.

All that is drawn is a function of the seed and the step. Windows come from outside (:mod:`synthcity.nets.training`),
so that the same steps can be taken elsewhere: a network with parts that a language model wrote is fitted in a locked
process (:mod:`synthcity.nets.authored.walled_fit`).
"""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from synthcity.market.windows import WindowSpec
from synthcity.nets import state as states
from synthcity.nets.config import NetConfig
from synthcity.nets.heads.law import Law
from synthcity.nets.loss import ScoreLoss
from synthcity.nets.network import Batch, Network
from synthcity.seeds import mix_seed
from synthcity.sn50.competitions import get_competition, get_rules

Tensors = dict[str, Tensor]

_WARM_UP, _COOL_DOWN = 0.1, 0.4  # parts of a training
_CLIP_NORM = 1.0
_EMA_DECAY = 0.99
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")  # of AdamW


class EagerAdamW(torch.optim.AdamW):
    """AdamW to the bit, whose methods are as they were before torch put something around them for those who compile.

    That loads torch's compiler, which takes two seconds of every process that trains; nothing is compiled here.
    """

    step = torch.no_grad()(inspect.unwrap(torch.optim.AdamW.step))
    zero_grad = inspect.unwrap(torch.optim.AdamW.zero_grad)
    add_param_group = inspect.unwrap(torch.optim.AdamW.add_param_group)


@dataclass(frozen=True, eq=False, kw_only=True)
class Fitting:
    """What is fitted, to what.

    ``weights`` are those of the assets in the loss, ``correlation`` (assets, assets) is that of ``nets.dependence``;
    competition and rules are named.
    """

    config: NetConfig
    spec: WindowSpec
    competition: str
    rules: str
    weights: tuple[float, ...]
    correlation: Tensor
    seed: int
    max_steps: int


class Fit:
    """A network that is fitted in ``max_steps`` steps, at whose end its schedule ends.

    ``steps`` have been taken; ``average`` holds the exponential moving average of the weights, which is what counts.
    """

    def __init__(self, what: Fitting, device: torch.device) -> None:
        self._seed, self._max_steps, self._device = what.seed, what.max_steps, device
        self._training = what.config.training
        competition = get_competition(what.competition, get_rules(what.rules))
        self._loss = ScoreLoss(competition, tilt=self._training.tilt)
        self._schedule = SCHEDULES[self._training.schedule]
        torch.manual_seed(what.seed)
        self.network = Network(what.config, what.spec, len(what.weights)).to(device)
        self.network.correlation.copy_(what.correlation)
        self.average = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self._optimizer = EagerAdamW(
            self.network.parameters(),
            lr=self._training.learning_rate,
            weight_decay=self._training.weight_decay,
            betas=(0.9, 0.98),
        )
        self._weight_a = torch.tensor(what.weights, dtype=torch.float32, device=device)
        self.steps = 0

    def step(self, batch: Batch) -> Tensor:
        """Take one step on windows and return its loss, without waiting for the device."""
        torch.manual_seed(mix_seed(self._seed, self.steps, 1))  # dropout
        for group in self._optimizer.param_groups:
            group["lr"] = self._training.learning_rate * self._schedule(self.steps / self._max_steps)
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._batch_loss(batch, self._training.num_paths)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP_NORM)
        self._optimizer.step()
        self.steps += 1
        self._average()
        return loss.detach()

    def probe(self, batch: Batch, num_paths: int) -> tuple[float, list[str]]:
        """Look at one loss and return it with the names of all parameters that get no gradient; nothing is changed."""
        loss = self._batch_loss(batch, num_paths)
        loss.backward()
        return loss.item(), [name for name, value in self.network.named_parameters() if value.grad is None]

    def seconds(self) -> float:
        """A clock of what training takes: on a CPU this thread's time, which does not count waiting for neighbours."""
        return time.thread_time() if self._device.type == "cpu" else time.perf_counter()

    @contextmanager
    def averaged(self) -> Iterator[Network]:
        """Lend the network in evaluation mode, with the average as its weights."""
        last = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.average)
        try:
            yield self.network.eval()
        finally:
            self.network.load_state_dict(last)
            self.network.train()

    def tensors(self) -> Tensors:
        """Return all that is needed to go on: weights (``last.``), average (``ema.``) and moments (``adam.``)."""
        found: Tensors = {}
        for prefix, group in (("last", self.network.state_dict()), ("ema", self.average)):
            found.update({f"{prefix}.{name}": value for name, value in group.items()})
        for name, parameter in self.network.named_parameters():
            for key, value in self._optimizer.state[parameter].items():
                found[f"adam.{key}.{name}"] = value
        return found

    def restore(self, tensors: Mapping[str, Tensor], steps: int) -> None:
        """Go on from what ``tensors`` gave after ``steps``."""
        self.network.load_state_dict(states.group(tensors, "last"))
        self.average = {name: value.to(self._device) for name, value in states.group(tensors, "ema").items()}
        for name, parameter in self.network.named_parameters():
            moments = {key: tensors[f"adam.{key}.{name}"] for key in _MOMENTS}
            # AdamW counts its steps on the CPU, wherever the weights are
            self._optimizer.state[parameter] = {
                key: value if key == "step" else value.to(self._device) for key, value in moments.items()
            }
        self.steps = steps

    def _batch_loss(self, batch: Batch, num_paths: int) -> Tensor:
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda"):
            law: Law = self.network(batch)
        generator = torch.Generator(self._device).manual_seed(mix_seed(self._seed, self.steps))
        paths, weight_bk = law.sample_strata(num_paths, generator=generator)
        paths = paths * batch.anchor[:, None, None]
        score_b = self._loss.per_window(paths, batch.realised, weight_bk)
        # in units of the window's own volatility, so that calm days teach as much as wild ones
        return (score_b * self._weight_a[batch.asset] / batch.anchor).mean()

    def _average(self) -> None:
        """Move the average of the weights; a young one forgets its start faster."""
        decay = min(_EMA_DECAY, self.steps / (self.steps + 10))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.average[name].lerp_(value, 1 - decay)


def cycle(progress: float) -> float:
    """One learning-rate cycle: linear warm-up over the first tenth, then half a cosine down to zero."""
    if progress < _WARM_UP:
        return (progress + 0.01) / (_WARM_UP + 0.01)
    return 0.5 * (1 + math.cos(math.pi * (progress - _WARM_UP) / (1 - _WARM_UP)))


def cosine(progress: float) -> float:
    """Half a cosine from the first step on."""
    return 0.5 * (1 + math.cos(math.pi * progress))


def trapezoid(progress: float) -> float:
    """Linear warm-up over the first tenth, then constant, then linear down to zero over the last two fifths."""
    return min((progress + 0.01) / (_WARM_UP + 0.01), 1.0, (1 - progress) / _COOL_DOWN)


SCHEDULES = {"cycle": cycle, "cosine": cosine, "trapezoid": trapezoid}
