"""What a locked child does with a network that has parts which a language model wrote: it builds it, and computes.

It is given arrays and gives arrays: a law's paths and quantiles, or steps of a training. It never sees what came after
a window that is to be judged, and nothing that it says of itself counts; :mod:`.walled_network` and :mod:`.walled_fit`
are the other side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from synthcity.authored.locked.wire import Message
from synthcity.market.windows import WindowSpec
from synthcity.nets import registry
from synthcity.nets.authored.execution import execute, packaged_classes
from synthcity.nets.config import MAX_BLOCKS, NetConfig
from synthcity.nets.fit import Fit, Fitting
from synthcity.nets.network import Batch, Network, ordinary_batch
from synthcity.nets.state import spec_from_json
from synthcity.nets.training import keep_memory
from synthcity.sn50.competitions import get_rules, rule_dates

_CPU = torch.device("cpu")


def prepare() -> None:
    """Load everything that a network may touch, by training each packaged part for two steps."""
    torch.set_num_threads(1)
    keep_memory()
    packaged_classes()  # which imports all that a file may
    for date in rule_dates():
        get_rules(date)
    blocks = [{"name": name} for name in registry.registered("block")]
    for first in range(0, len(blocks), MAX_BLOCKS):
        _warm_up({"blocks": blocks[first : first + MAX_BLOCKS]})
    for name in registry.registered("head"):
        _warm_up({"head": {"name": name}})


def _warm_up(parts: dict[str, object]) -> None:
    what = Fitting(
        config=NetConfig.from_dict({"d_model": 16, "history": 24, "patch": 1, **parts}),
        spec=WindowSpec.of(300, 288),
        competition="crypto-24h",
        rules=rule_dates()[-1],
        weights=(1.0, 1.0),
        correlation=torch.eye(2),
        seed=0,
        max_steps=2,
    )
    fit = Fit(what, _CPU)
    batch = ordinary_batch(2, what.config.steps, what.spec, torch.Generator().manual_seed(0))
    for _ in range(2):
        fit.step(batch)
    fit.restore(fit.tensors(), 2)
    with torch.inference_mode(), fit.averaged() as network:
        law = network(batch)
        law.sample(24, law.draw_noise(24, torch.Generator().manual_seed(0), torch.eye(2)))
        law.sample_strata(24)
        law.quantiles(torch.tensor([0.5]))


def begin(message: Message) -> Callable[[Message], Message]:
    """Run the texts and build the network, to be fitted where there is something to fit it to."""
    for code in message.values["codes"]:
        execute(str(code["name"]), str(code["source"]))
    return answering(message)


def answering(message: Message) -> Callable[[Message], Message]:
    """Build the network of a first message, whose authored parts are registered, and answer what follows."""
    told = message.values
    config, spec = NetConfig.from_dict(told["config"]), spec_from_json(told["spec"])
    built: _Fitted | _Asked
    if "seed" in told:
        what = Fitting(
            config=config,
            spec=spec,
            competition=str(told["competition"]),
            rules=str(told["rules"]),
            weights=tuple(told["weights"]),
            correlation=torch.from_numpy(message.arrays["correlation"]),
            seed=int(told["seed"]),
            max_steps=int(told["max_steps"]),
        )
        built = _Fitted(Fit(what, _CPU))
    else:
        built = _Asked(Network(config, spec, int(told["num_assets"])).eval())
    calls = built.calls()

    def answer(asked: Message) -> Message:
        return calls[asked.values["call"]](asked.values, tensors_of(asked))

    return answer


Call = Callable[[Mapping[str, Any], Mapping[str, Tensor]], Message]


class _Asked:
    """A network that is asked for laws."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._found: dict[str, Tensor] = {}

    def calls(self) -> dict[str, Call]:
        return {"layout": self._layout, "load": self._load, "law": self._law, "draw": self._draw,
                "quantiles": self._quantiles, "density": self._density, "give": self._give}  # fmt: skip

    def _layout(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Message:
        return Message({"layout": layout_of(self._network)})

    def _load(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Message:
        self._network.load_state_dict(dict(tensors))
        return Message()

    @torch.inference_mode()
    def _law(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Message:
        self._current = self._network(Batch(**tensors))
        return Message()

    @torch.inference_mode()
    def _draw(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Message:
        """Draw paths, with weights of their strata where the law has strata and these are asked for."""
        generator = torch.Generator()
        generator.set_state(tensors["state"])
        number = int(values["paths"])
        if values["strata"]:
            paths, weights = self._current.sample_strata(number, generator=generator)
        else:
            noise = self._current.draw_noise(number, generator, tensors.get("factor"))
            paths, weights = self._current.sample(number, noise), None
        self._found = {"paths": paths} if weights is None else {"paths": paths, "weights": weights}
        return Message({"strata": 0 if weights is None else weights.shape[1]})

    @torch.inference_mode()
    def _quantiles(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Message:
        return self._maybe("quantiles", self._current.quantiles(tensors["levels"]))

    @torch.inference_mode()
    def _density(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Message:
        return self._maybe("density", self._current.log_prob(tensors["returns"]))

    def _maybe(self, name: str, found: Tensor | None) -> Message:
        self._found = {} if found is None else {name: found}
        return Message({"known": found is not None})

    def _give(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Message:
        return Message(arrays={name: value.float().numpy() for name, value in self._found.items()})


class _Fitted:
    """A network in training."""

    def __init__(self, fit: Fit) -> None:
        self._fit = fit

    def calls(self) -> dict[str, Call]:
        return {"layout": self._layout, "step": self._step, "probe": self._probe, "average": self._average,
                "tensors": self._tensors, "restore": self._restore}  # fmt: skip

    def _layout(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Message:
        return Message({"layout": layout_of(self._fit.network)})

    def _step(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Message:
        return Message({"loss": _number(self._fit.step(Batch(**tensors)).item())})

    def _probe(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Message:
        loss, dead = self._fit.probe(Batch(**tensors), int(values["paths"]))
        return Message({"loss": _number(loss), "dead": dead})

    def _average(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Message:
        return Message(arrays=arrays_of(self._fit.average))

    def _tensors(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Message:
        return Message(arrays=arrays_of(self._fit.tensors()))

    def _restore(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Message:
        self._fit.restore(dict(tensors), int(values["steps"]))
        return Message()


def layout_of(network: nn.Module) -> list[tuple[str, list[int], str, bool]]:
    """Return name, shape, type of each tensor of a network, and whether it is learned."""
    learned = dict(network.named_parameters())
    state = network.state_dict()
    return [(name, list(value.shape), value.numpy().dtype.name, name in learned) for name, value in state.items()]


def tensors_of(message: Message) -> dict[str, Tensor]:
    """Return the arrays of a message as tensors that share their memory."""
    return {name: torch.from_numpy(value) for name, value in message.arrays.items()}


def arrays_of(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Return tensors of the CPU as arrays."""
    return {name: value.detach().numpy() for name, value in tensors.items()}


def _number(loss: float) -> float | None:
    """JSON knows no others than finite numbers."""
    return loss if math.isfinite(loss) else None
