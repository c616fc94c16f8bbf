"""A trainer's state as bytes: safetensors with a JSON header, no pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Protocol

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from synthcity.durations import DAY
from synthcity.errors import BundleError, ConfigError
from synthcity.market.windows import WindowSpec
from synthcity.schema import build

_HEADER, _DIGEST = "synthcity", "sha256"
_LARGEST = 1e6  # absolute value of a weight; those of trained networks stay below 100
_LONGEST_DAYS, _MOST_STEPS, _MOST_SPANS = 366, 10_000, 32  # of a window spec


@dataclass(frozen=True, kw_only=True)
class Meta:
    """What the tensors belong to, and how far training got."""

    config: dict[str, object]
    competition: str
    rules: str
    spec: WindowSpec
    assets: tuple[str, ...]
    seed: int
    step: int
    scores: tuple[float, ...]


def dump(tensors: dict[str, Tensor], meta: Meta) -> bytes:
    """Pack tensors (any device) and meta data."""
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    # "__metadata__" of safetensors maps strings to strings
    told = asdict(meta)
    header = json.dumps({**told, _DIGEST: _digest(plain, told)})
    blob: bytes = safetensors.torch.save(plain, {_HEADER: header})
    return blob


def parse(blob: bytes) -> tuple[dict[str, Tensor], Meta]:
    """Unpack ``dump``.

    Raises:
        BundleError: the bytes are damaged or come from elsewhere.
    """
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(blob)
        size = int.from_bytes(blob[:8], "little")
        values = json.loads(json.loads(blob[8 : 8 + size])["__metadata__"][_HEADER])
        digest = values.pop(_DIGEST, None)  # a state from before there were digests has none
        if digest is not None and digest != _digest(tensors, values):
            raise ValueError("it differs from its hash")
        values |= {"spec": spec_from_json(values["spec"])}
        values |= {"assets": tuple(values["assets"]), "scores": tuple(values["scores"])}
        return tensors, Meta(**values)
    except (SafetensorError, ValueError, KeyError, TypeError, ConfigError) as error:
        raise BundleError(f"a saved training state is damaged or foreign: {error}") from error


def _digest(tensors: Mapping[str, Tensor], told: Mapping[str, object]) -> str:
    """Return the sha256 of all that a state holds: one bit of a weight turned would otherwise train on."""
    found = hashlib.sha256(json.dumps(told).encode())
    for name in sorted(tensors):
        value = tensors[name]
        found.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        found.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


class Weighed(Protocol):
    """What has weights: a network, wherever it is computed."""

    def state_dict(self) -> Mapping[str, Tensor]:
        """Return them by name."""

    def load_state_dict(self, tensors: Mapping[str, Tensor], /) -> object:
        """Take others."""


def fill(network: Weighed, tensors: Mapping[str, Tensor]) -> None:
    """Give a network its weights.

    Raises:
        RuntimeError: one is missing, foreign, of another form or no number.
    """
    for name, own in network.state_dict().items():
        given = tensors.get(name)
        if given is not None and given.dtype != own.dtype:
            raise RuntimeError(f"{name} holds {given.dtype} instead of {own.dtype}")
        if given is not None and not bool((given.abs() <= _LARGEST).all()):
            raise RuntimeError(f"{name} holds numbers that no training ends at")
    network.load_state_dict(dict(tensors))


def spec_from_json(values: object) -> WindowSpec:
    """Rebuild a spec from plain data.

    Raises:
        ConfigError: a key is unknown, missing, of the wrong type, or larger than any competition needs.
    """
    spec = build(WindowSpec, values)
    spans = {
        "increment": (spec.increment,),
        "horizon": (spec.horizon * spec.increment,),
        "scales": spec.scales,
        "range_scales": spec.range_scales,
        "return_scales": spec.return_scales,
        "anchor_seconds": (spec.anchor_seconds,),
        "profile_days": tuple(days * DAY for days in spec.profile_days),
        "warmup_days": (spec.warmup_days * DAY,),
    }
    for name, seconds in spans.items():
        is_odd = (not seconds and name != "range_scales") or len(seconds) > _MOST_SPANS
        if is_odd or not all(spec.increment <= s <= _LONGEST_DAYS * DAY for s in seconds):
            raise ConfigError(f"{name} of a network's windows must lie within {_LONGEST_DAYS} days, got {seconds}")
        if any(later <= earlier for earlier, later in pairwise(seconds)):
            raise ConfigError(f"{name} of a network's windows must increase, got {seconds}")
    if not 0 <= spec.burst_days <= _LONGEST_DAYS:
        raise ConfigError(f"burst_days of a network's windows must be 0 to {_LONGEST_DAYS}, got {spec.burst_days}")
    if spec.increment <= 0 or DAY % spec.increment or spec.horizon > _MOST_STEPS:
        raise ConfigError(f"no network forecasts {spec.horizon} steps of {spec.increment} s")
    return spec


def spec_to_json(spec: WindowSpec) -> dict[str, object]:
    """Return plain data that ``spec_from_json`` reads; one without inputs as it was before there were any."""
    return {name: value for name, value in asdict(spec).items() if name != "inputs" or value}


def group(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Pick the tensors of one group, without the prefix."""
    return {name[len(prefix) + 1 :]: value for name, value in tensors.items() if name.startswith(f"{prefix}.")}
