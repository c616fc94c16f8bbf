"""A trainer's state as bytes: safetensors with a JSON header, no pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from synthcity.errors import BundleError
from synthcity.market.windows import WindowSpec

_HEADER = "synthcity"


@dataclass(frozen=True, kw_only=True)
class Meta:
    """What the tensors belong to, and how far training got."""

    config: dict[str, Any]
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
    blob: bytes = safetensors.torch.save(plain, {_HEADER: json.dumps(asdict(meta))})
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
    except (SafetensorError, ValueError, KeyError) as error:
        raise BundleError(f"a saved training state is damaged or foreign: {error}") from error
    values |= {"spec": spec_from_json(values["spec"])}
    values |= {"assets": tuple(values["assets"]), "scores": tuple(values["scores"])}
    return tensors, Meta(**values)


def spec_from_json(values: dict[str, Any]) -> WindowSpec:
    """Rebuild a spec whose tuples JSON turned into lists."""
    plain: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
    return WindowSpec(**plain)


def group(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Pick the tensors of one group, without the prefix."""
    return {name[len(prefix) + 1 :]: value for name, value in tensors.items() if name.startswith(f"{prefix}.")}
