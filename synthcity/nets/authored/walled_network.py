"""A network that has parts which a language model wrote, as other processes see it: its weights, and laws on request.

It stands where a :class:`~synthcity.nets.network.Network` stands. Each law comes from a fresh locked child
(:mod:`.inside`), which is given the texts, the weights and the windows without what came after them, and is gone when
the law is. What a child answers is held against shape, type, size and finiteness, and is believed no further.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from synthcity.authored.locked.forks import Child, Misbehaved, shared_server
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.authored.locked.wire import Message, Shapes
from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.market.windows import WindowSpec
from synthcity.nets.authored.code import codes_of
from synthcity.nets.config import NetConfig
from synthcity.nets.heads.law import Law, Noise
from synthcity.nets.network import Batch, Network

WORKER = "synthcity.nets.authored.inside"
LIMITS = SandboxLimits(cpu_seconds=7 * DAY, wall_seconds=120.0, memory_bytes=4 << 30)
_MOST_TENSORS, _MOST_BYTES = 4096, 256 << 20
_TYPES = ("float32", "float64", "int64", "int32", "bool", "complex64")
_LONGEST_NAME = 200
_CORRELATION = "correlation"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Names, shapes and types of a network's tensors as a child told them, and which of them are learned."""

    shapes: Shapes
    learned: frozenset[str]

    @classmethod
    def parse(cls, told: object, num_assets: int) -> Layout:
        """Take what a child told.

        Raises:
            Misbehaved: it is no layout, or too large.
        """
        try:
            rows = [(str(name), tuple(map(int, shape)), str(kind), bool(is_learned))
                    for name, shape, kind, is_learned in told]  # type: ignore[attr-defined]  # fmt: skip
        except (TypeError, ValueError, OverflowError):
            raise Misbehaved("it does not say what tensors it has") from None
        shapes = {name: (shape, kind) for name, shape, kind, _ in rows}
        sound = (
            len(shapes) == len(rows) <= _MOST_TENSORS
            and all(len(name) <= _LONGEST_NAME and name.isascii() and name.isprintable() for name in shapes)
            and all(kind in _TYPES and min(shape, default=0) >= 0 for shape, kind in shapes.values())
            and sum(math.prod(shape) * np.dtype(kind).itemsize for shape, kind in shapes.values()) <= _MOST_BYTES
            and shapes.get(_CORRELATION) == ((num_assets, num_assets), "float32")
        )
        if not sound:
            raise Misbehaved(f"it tells of tensors that no network here has, or of more than {_MOST_BYTES >> 20} MB")
        return cls(shapes=shapes, learned=frozenset(name for name, *_, is_learned in rows if is_learned))

    @property
    def num_parameters(self) -> int:
        return sum(math.prod(self.shapes[name][0]) for name in self.learned)


class WalledNetwork:
    """See the module; ``correlation`` (assets, assets) is this process's own.

    Raises:
        ConfigError: it has a part from outside too, which no locked child can load.
        Misbehaved: it cannot be built.
        NotIsolated: no process can be locked here.
    """

    def __init__(self, config: NetConfig, spec: WindowSpec, num_assets: int) -> None:
        self.config, self.spec, self.num_assets = config, spec, num_assets
        with self._open() as child:
            self.layout = Layout.parse(asked(child, config, {"call": "layout"}).values.get("layout"), num_assets)
        self._tensors = {
            name: torch.from_numpy(np.zeros(shape, kind)) for name, (shape, kind) in self.layout.shapes.items()
        }

    @property
    def correlation(self) -> Tensor:
        return self._tensors[_CORRELATION]

    @property
    def num_parameters(self) -> int:
        """As the child that built it told."""
        return self.layout.num_parameters

    def state_dict(self) -> dict[str, Tensor]:
        """Return its tensors, zeros until some were loaded."""
        return dict(self._tensors)

    def load_state_dict(self, tensors: Mapping[str, Tensor]) -> None:
        """Take tensors.

        Raises:
            RuntimeError: they are not those of this network.
        """
        found = {name: (tuple(value.shape), value.numpy().dtype.name) for name, value in tensors.items()}
        if found != dict(self.layout.shapes):
            odd = sorted(found.keys() ^ self.layout.shapes.keys()) or [
                name for name, form in found.items() if form != self.layout.shapes[name]
            ]
            raise RuntimeError(f"tensors of {self.config.label} are missing, foreign or of another form: {odd[:4]}")
        self._tensors = dict(tensors)

    def eval(self) -> WalledNetwork:
        """Do nothing: in its children it is always in evaluation mode."""
        return self

    def __call__(self, batch: Batch) -> Law:
        """Return the law of the windows' future, told by a child of its own that sees nothing of it."""
        child = self._open()
        asked(child, self.config, {"call": "load"}, self._tensors)
        windows = {name: value for name, value in vars(batch).items() if name != "realised"}
        asked(child, self.config, {"call": "law"}, {**windows, "realised": torch.full_like(batch.realised, torch.nan)})
        return WalledLaw(child, self.config, len(batch.asset), batch.future.shape[1])

    def _open(self) -> Child:
        return open_child(self.config, {"spec": asdict(self.spec), "num_assets": self.num_assets})


AnyNetwork = Network | WalledNetwork


def open_network(config: NetConfig, spec: WindowSpec, num_assets: int) -> AnyNetwork:
    """Build a network: here, or behind the wall where a language model wrote a part of it."""
    return (WalledNetwork if config.is_authored else Network)(config, spec, num_assets)


def open_child(
    config: NetConfig, values: Mapping[str, object], arrays: Mapping[str, np.ndarray] | None = None
) -> Child:
    """Return a locked child that has built the network; for ``values`` and ``arrays`` see :mod:`.inside`.

    Raises:
        ConfigError: it has a part from outside too, which no locked child can load.
        Misbehaved: it cannot be built.
        NotIsolated: no process can be locked here.
    """
    plain = config.to_dict()
    codes = codes_of(plain)
    for code in codes:
        if "source" not in code:
            raise ConfigError(
                f"{code['name']} comes from outside this package and stands beside a part that a language model wrote; "
                "such a network is built in locked processes, which load packaged parts alone: drop one of the two"
            )
    message = Message({**values, "codes": list(codes), "config": plain}, arrays or {})
    child = shared_server(WORKER).fork(LIMITS)
    _converse(child, config, message, None)
    return child


def asked(
    child: Child,
    config: NetConfig,
    values: Mapping[str, object],
    tensors: Mapping[str, Tensor] | None = None,
    shapes: Shapes | None = None,
) -> Message:
    """Ask a child and return its answer, which holds finite arrays of just these shapes.

    Raises:
        Misbehaved: it did not answer, or with something else; the text names the authored parts.
    """
    arrays = {name: value.detach().numpy() for name, value in (tensors or {}).items()}
    return _converse(child, config, Message(values, arrays), shapes)


def _converse(child: Child, config: NetConfig, message: Message, shapes: Shapes | None) -> Message:
    try:
        return child.call(message, shapes)
    except Misbehaved as error:
        titles = [part.cls.__name__ for part, _ in (*config.block_parts, config.head_part) if part.code is not None]
        raise Misbehaved(f"{', '.join(dict.fromkeys(titles))}, in a locked process: {error}") from None


class WalledLaw(Law):
    """A law that a locked child computes; the child ends with it."""

    def __init__(self, child: Child, config: NetConfig, num_windows: int, horizon: int) -> None:
        self._child, self._config, self._windows, self._horizon = child, config, num_windows, horizon
        weakref.finalize(self, child.close)

    def draw_noise(
        self, num_paths: int, generator: torch.Generator | None = None, factor_bb: Tensor | None = None
    ) -> Noise:
        """Take what the child draws the same noise from: the generator's state, and the factor."""
        noise = {"state": _hand_over(generator)}
        return noise if factor_bb is None else {**noise, "factor": factor_bb}

    def sample(self, num_paths: int, noise: Noise | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Return paths (batch, num_paths, horizon)."""
        return self._draw(num_paths, noise or self.draw_noise(num_paths, generator), strata=False)[0]

    def sample_strata(
        self, num_paths: int, noise: Noise | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return paths and the weights of their strata, which are shares."""
        return self._draw(num_paths, noise or self.draw_noise(num_paths, generator), strata=True)

    def params(self) -> dict[str, Tensor]:
        """Return nothing: what a child tells of its law's inside would be its own word."""
        return {}

    def quantiles(self, levels_q: Tensor) -> Tensor | None:
        """Return quantiles (batch, horizon, levels), if the law knows them."""
        return self._maybe("quantiles", {"levels": levels_q}, (self._windows, self._horizon, len(levels_q)))

    def log_prob(self, returns_bh: Tensor) -> Tensor | None:
        """Return densities (batch,), if the law knows them."""
        return self._maybe("density", {"returns": returns_bh}, (self._windows,))

    def _maybe(self, name: str, tensors: Mapping[str, Tensor], shape: tuple[int, ...]) -> Tensor | None:
        known = asked(self._child, self._config, {"call": name}, tensors).values.get("known")
        return self._given({name: (shape, "float32")})[name] if known is True else None

    def _draw(self, num_paths: int, noise: Noise, *, strata: bool) -> tuple[Tensor, Tensor | None]:
        values = {"call": "draw", "paths": num_paths, "strata": strata}
        number = asked(self._child, self._config, values, noise).values.get("strata")
        shapes = {"paths": ((self._windows, num_paths, self._horizon), "float32")}
        if number == 0:
            return self._given(shapes)["paths"], None
        # each stratum needs two paths for its own spread
        if type(number) is not int or not 0 < number <= num_paths // 2 or num_paths % number:
            raise self._misbehaved(f"its {num_paths} paths have {number!r} strata"[:200])
        found = self._given({**shapes, "weights": ((self._windows, number), "float32")})
        weights = found["weights"]
        if bool((weights < 0).any()) or not torch.allclose(weights.sum(1), torch.ones(1), atol=1e-3):
            raise self._misbehaved("the weights of its strata are no shares")
        return found["paths"], weights

    def _given(self, shapes: Shapes) -> dict[str, Tensor]:
        answer = asked(self._child, self._config, {"call": "give"}, shapes=shapes)
        return {name: torch.from_numpy(value) for name, value in answer.arrays.items()}

    def _misbehaved(self, text: str) -> Misbehaved:
        self._child.close()
        return Misbehaved(text)


def _hand_over(generator: torch.Generator | None) -> Tensor:
    """Return a generator's state and seed it anew, so that a child draws what this process would have drawn."""
    own = generator or torch.default_generator
    state = own.get_state()
    own.manual_seed(int(torch.randint(2**62, (), generator=own)))
    return state
