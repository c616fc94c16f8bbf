"""A network that has parts which a language model wrote, in training: a locked child takes the steps.

It stands where a :class:`~synthcity.nets.fit.Fit` stands. The child is handed training windows, step by step, and asked
for its weights; it is never shown a validation window, which other children are asked about, without what came after.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict

import torch
from torch import Tensor

from synthcity.authored.locked.wire import Shapes
from synthcity.nets.authored.walled_network import WalledNetwork, asked, open_child
from synthcity.nets.fit import Fitting, Tensors
from synthcity.nets.network import Batch

_CORRELATION = "correlation"


class WalledFit:
    """A fit whose steps a locked child takes, on one thread of the CPU; see ``Fit`` for what its methods do.

    Raises:
        Misbehaved: the network cannot be built, or the child failed, hung or answered with something else.
        NotIsolated: no process can be locked here.
    """

    def __init__(self, what: Fitting) -> None:
        self._what = what
        self.network = WalledNetwork(what.config, what.spec, len(what.weights))
        values = {
            "spec": asdict(what.spec),
            "competition": what.competition,
            "rules": what.rules,
            "weights": list(what.weights),
            "seed": what.seed,
            "max_steps": what.max_steps,
        }
        self._child = open_child(what.config, values, {_CORRELATION: what.correlation.numpy()})
        self.isolation = self._child.isolation
        self.steps = 0
        self._known: tuple[int, Tensors] | None = None  # the average after so many steps

    def step(self, batch: Batch) -> Tensor:
        told = asked(self._child, self._what.config, {"call": "step"}, vars(batch)).values
        self.steps += 1
        return torch.tensor(_number(told.get("loss")))

    def probe(self, batch: Batch, num_paths: int) -> tuple[float, list[str]]:
        told = asked(self._child, self._what.config, {"call": "probe", "paths": num_paths}, vars(batch)).values
        dead = told.get("dead")
        names = self.network.layout.learned
        return _number(told.get("loss")), [name for name in names if isinstance(dead, list) and name in dead]

    def seconds(self) -> float:
        """CPU time of this thread and of the child, as the kernel tells it."""
        return time.thread_time() + self._child.cpu_time()

    @property
    def average(self) -> Tensors:
        if self._known is None or self._known[0] != self.steps:
            self._known = self.steps, self._asked("average", self.network.layout.shapes)
        return self._known[1]

    @contextmanager
    def averaged(self) -> Iterator[WalledNetwork]:
        self.network.load_state_dict(self.average)
        yield self.network

    def tensors(self) -> Tensors:
        layout = self.network.layout
        shapes = {f"{prefix}.{name}": form for prefix in ("last", "ema") for name, form in layout.shapes.items()}
        if self.steps:
            for name in layout.learned:
                shapes.update({f"adam.{moment}.{name}": layout.shapes[name] for moment in ("exp_avg", "exp_avg_sq")})
                shapes[f"adam.step.{name}"] = (), "float32"
        return self._asked("tensors", shapes)

    def restore(self, tensors: Mapping[str, Tensor], steps: int) -> None:
        values = {"call": "restore", "steps": steps}
        kept = {name: value for name, value in tensors.items() if not name.startswith("best.")}
        asked(self._child, self._what.config, values, kept)
        self.steps, self._known = steps, None

    def _asked(self, call: str, shapes: Shapes) -> Tensors:
        found = asked(self._child, self._what.config, {"call": call}, shapes=shapes).arrays
        tensors = {name: torch.from_numpy(value) for name, value in found.items()}
        measured = (_CORRELATION, f"last.{_CORRELATION}", f"ema.{_CORRELATION}")  # here, and no child's to change
        return {name: self._what.correlation.clone() if name in measured else value for name, value in tensors.items()}


def _number(loss: object) -> float:
    return float(loss) if isinstance(loss, int | float) else math.nan
