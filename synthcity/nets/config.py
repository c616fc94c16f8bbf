"""A candidate's configuration: plain data in, checked and complete dataclasses out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from synthcity.errors import ConfigError, unknown_name
from synthcity.nets.parameters import Parameter, choice, parameters_of, parse, real
from synthcity.nets.registry import Component, component
from synthcity.wording import chain

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MAX_BLOCKS = 4


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Sizes that all blocks share."""

    d_model: int = choice(32, (16, 32, 48, 64), doc="width of the latent sequence")
    history: int = choice(48, (24, 48, 96), doc="tokens of history that the blocks see")
    patch: int = choice(3, (1, 3, 6), doc="grid steps joined into one token; history x patch steps are seen")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How a network is fitted; data and budget belong to the run, and the score that it is judged by to the network.

    ``steps``, ``schedule``, ``tilt`` and ``half_life`` are its recipe; the defaults are what there was before it.
    """

    learning_rate: float = real(2e-3, low=2e-4, high=8e-3, log=True, doc="peak of the schedule of AdamW")
    weight_decay: float = real(0.1, low=1e-3, high=0.5, log=True, doc="decoupled weight decay")
    batch_size: int = choice(48, (24, 48, 96), doc="windows a step")
    num_paths: int = choice(24, (12, 24, 48), doc="simulated paths a window in the loss")
    steps: float = choice(1.0, (0.4, 0.6, 0.8, 1.0), doc="part of the run's steps that is trained")
    schedule: str = choice("cycle", ("cycle", "cosine", "trapezoid"), doc="of the learning rate, which ends at zero")
    tilt: float = choice(0.0, (-0.5, -0.25, 0.0, 0.25, 0.5), doc="power of a term's time span in the loss")
    half_life: int = choice(0, (0, 360, 120, 40), doc="days of age that halve a window's chance; 0: none")

    def trained(self, max_steps: int) -> int:
        """Return how many of a run's steps are trained."""
        return max(1, round(self.steps * max_steps))

    def whole(self, steps: int) -> int:
        """Return the steps of a run of which ``steps`` are trained."""
        return round(steps / self.steps)


# The recipe came after the rest of a configuration. What is left at its default is left out of what is written, so that
# networks of before are called by the same hash and their states, journals and bundles still fit.
RECIPE: Mapping[str, object] = MappingProxyType(
    {name: getattr(TrainingConfig, name) for name in ("steps", "schedule", "tilt", "half_life")}
)


@dataclass(frozen=True, kw_only=True)
class NetConfig:
    """A complete, valid configuration; ``blocks`` and ``head`` keep their options as parsed dataclasses."""

    architecture: Architecture
    training: TrainingConfig
    block_parts: tuple[tuple[Component, DataclassInstance], ...]
    head_part: tuple[Component, DataclassInstance]

    @property
    def d_model(self) -> int:
        return self.architecture.d_model

    @property
    def history(self) -> int:
        return self.architecture.history

    @property
    def patch(self) -> int:
        return self.architecture.patch

    @property
    def is_authored(self) -> bool:
        """Whether a language model wrote a part of it, so that it is built in locked processes alone."""
        return any(part.code is not None for part, _ in (*self.block_parts, self.head_part))

    @property
    def steps(self) -> int:
        """Grid steps of history that the network reads."""
        return self.history * self.patch

    @property
    def label(self) -> str:
        """Short description for tables, e.g. ``transformer+lstm>gbm d32``."""
        return f"{chain((part.name for part, _ in self.block_parts), self.head_part[0].name)} d{self.d_model}"

    @classmethod
    def from_dict(cls, config: Mapping[str, object]) -> NetConfig:
        """Check and complete a plain configuration; missing keys take their defaults.

        Raises:
            ConfigError: unknown key or component (with the nearest valid name), wrong type, value out of range, or too
                many blocks.
        """
        shared = {parameter.name for parameter in parameters_of(Architecture)}
        allowed = shared | {"blocks", "head", "training"}
        for key in config:
            if key not in allowed:
                raise ConfigError(unknown_name("key of a candidate", key, allowed))
        blocks = config.get("blocks", [])
        if not isinstance(blocks, (list, tuple)) or len(blocks) > MAX_BLOCKS:
            raise ConfigError(f"blocks is {blocks!r}; it must be a list of at most {MAX_BLOCKS} blocks")
        return cls(
            architecture=parse(Architecture, {k: config[k] for k in config if k in shared}, "candidate"),
            training=parse(TrainingConfig, _mapping(config.get("training", {}), "training"), "training"),
            block_parts=tuple(_part("block", block) for block in blocks),
            head_part=_part("head", config.get("head", {"name": "gbm"})),
        )

    def to_dict(self) -> dict[str, object]:
        """Return the fully resolved plain configuration, a recipe as far as it is none of the defaults."""
        training = asdict(self.training)
        return {
            **asdict(self.architecture),
            "blocks": [{"name": part.name, **asdict(options)} for part, options in self.block_parts],
            "head": {"name": self.head_part[0].name, **asdict(self.head_part[1])},
            "training": {k: v for k, v in training.items() if k not in RECIPE or v != RECIPE[k]},
        }


def _mapping(value: object, owner: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{owner} is {value!r}; it must be a mapping of options")
    return value


def _part(kind: str, value: object) -> tuple[Component, DataclassInstance]:
    options = dict(_mapping(value, kind))
    if "name" not in options:
        raise ConfigError(f"{kind} {value!r} has no name")
    entry = component(kind, options.pop("name"))
    return entry, parse(entry.config, options, f"{kind} {entry.name}")


def parameters() -> tuple[Parameter, ...]:
    """Hyperparameters outside blocks and head: sizes by their name, training ones as ``training.<name>``."""
    training = (
        Parameter(**{**asdict(parameter), "name": f"training.{parameter.name}"})
        for parameter in parameters_of(TrainingConfig)
    )
    return (*parameters_of(Architecture), *training)
