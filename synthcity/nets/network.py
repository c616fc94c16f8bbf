"""The network: stem, stacked blocks, head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from synthcity.market.windows import KNOWN_NAMES, SEQUENCE_NAMES, FeatureTable, WindowSpec
from synthcity.nets.authored.stateless import check_built, unchanged
from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.config import NetConfig
from synthcity.nets.heads.law import Law

_NUM_SEQUENCE = len(SEQUENCE_NAMES) + 1  # and a flag for gaps
_NUM_LEAD = 4
_BOUND = 4.0
# of log multipliers: bursts are a tenth or so, kept inputs a quarter, and shall be as large as others; releases are
_EFFECT_SCALES = {"bursts": 8.0, "calendar": 1.0, "inputs": 4.0}


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Windows as tensors.

    ``sequence`` (b, steps, 4), ``context`` (b, c), ``future`` (b, h, f), ``asset`` (b,) int, ``anchor`` (b,) volatility
    per step, ``realised`` (b, h + 1) log prices from the window's start on, relative to it, NaN at gaps.
    """

    sequence: Tensor
    context: Tensor
    future: Tensor
    asset: Tensor
    anchor: Tensor
    realised: Tensor

    def to(self, device: torch.device) -> Batch:
        """Move to ``device`` without waiting for it."""
        return Batch(**{name: value.to(device, non_blocking=True) for name, value in vars(self).items()})


def make_batch(
    tables: list[FeatureTable], asset_ids: np.ndarray, starts: np.ndarray, steps: int, spec: WindowSpec
) -> Batch:
    """Gather windows: the i-th starts at grid index ``starts[i]`` of ``tables[asset_ids[i]]``, sorted by asset here.

    The order of windows in the batch is by asset, then as given.
    """
    order = np.argsort(asset_ids, kind="stable")
    parts = []
    for asset in np.unique(asset_ids):
        table, at = tables[asset], starts[order][asset_ids[order] == asset]
        past = at[:, None] + np.arange(1 - steps, 1)
        ahead = at[:, None] + np.arange(1, spec.horizon + 1)
        points = at[:, None] + np.arange(spec.horizon + 1)
        prices = np.where(points < len(table), table.price[np.minimum(points, len(table) - 1)], np.nan)
        realised = np.log(prices / prices[:, :1])
        future = table.future[ahead]
        if spec.inputs:
            assert table.foretold is not None
            future = np.concatenate([future, table.foretold.at(at)[..., None]], axis=-1)
        parts.append((table.sequence[past], table.context[at], future, table.anchor[at], realised))
    sequence, context, future, anchor, realised = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Batch(
        sequence=_scale_sequence(sequence, anchor),
        context=torch.from_numpy(context),
        future=_scale_future(future, anchor, spec),
        asset=torch.from_numpy(asset_ids[order].astype(np.int64)),
        anchor=torch.from_numpy(anchor),
        realised=torch.from_numpy(realised.astype(np.float32)),
    )


def ordinary_batch(size: int, steps: int, spec: WindowSpec, generator: torch.Generator) -> Batch:
    """Make ``size`` windows of nothing but noise of the usual size, the i-th of asset i."""

    def noise(*shape: int) -> Tensor:
        return torch.randn(size, *shape, generator=generator)

    return Batch(
        sequence=noise(steps, _NUM_SEQUENCE),
        context=noise(spec.num_context),
        future=noise(spec.horizon, len(spec.future_names) + _NUM_LEAD),
        asset=torch.arange(size),
        anchor=torch.full((size,), 1e-3),
        realised=torch.zeros(size, spec.horizon + 1),
    )


def _scale_sequence(sequence: np.ndarray, anchor: np.ndarray) -> Tensor:
    """Returns and ranges in units of the anchor, compressed; gaps become zero and raise the last channel."""
    gap = ~np.isfinite(sequence[..., 0])
    returns = np.arcsinh(np.nan_to_num(sequence[..., 0]) / anchor[:, None])
    spread = np.log1p(np.nan_to_num(sequence[..., 1]) / anchor[:, None])
    stacked = np.stack([returns, spread, sequence[..., 2], gap], axis=-1)
    return torch.from_numpy(stacked.astype(np.float32))


def _scale_future(future: np.ndarray, anchor: np.ndarray, spec: WindowSpec) -> Tensor:
    """Slot volatilities relative to the anchor, unknown ones taken as the anchor; then how far ahead a step is."""
    first, last = len(KNOWN_NAMES), future.shape[-1] - len(spec.effect_names)
    slots = np.nan_to_num(future[..., first:last] - np.log(anchor)[:, None, None], nan=0.0)
    lead = np.broadcast_to(_lead(future.shape[1]), (*future.shape[:2], _NUM_LEAD))
    effects = future[..., last:] * np.array([_EFFECT_SCALES[name] for name in spec.effect_names], dtype=np.float32)
    scaled = np.concatenate([future[..., :first], np.clip(slots, -_BOUND, _BOUND), effects, lead], axis=-1)
    return torch.from_numpy(scaled.astype(np.float32))


@cache
def _lead(horizon: int) -> np.ndarray:
    """Decays (horizon, 4) over a 24th, an eighth and a third of the horizon, and its elapsed share.

    Without them a decoder sees no difference between the next step and the same slot at the end of the day, and
    volatility that is high now could not fade.
    """
    step = np.arange(1, horizon + 1)
    columns = [np.exp(-step * part / horizon) for part in (24, 8, 3)]
    return np.stack([*columns, step / horizon], axis=1)


class Network(nn.Module):
    """History and context through blocks to a law of future log returns in units of the anchor.

    ``correlation`` (assets, assets) ties the paths of different assets that are drawn together.
    """

    correlation: Tensor

    def __init__(self, config: NetConfig, spec: WindowSpec, num_assets: int) -> None:
        super().__init__()
        self.config = config
        d = config.d_model
        self.stem = nn.Linear(_NUM_SEQUENCE * config.patch, d)
        self.context = nn.Sequential(nn.Linear(spec.num_context, 2 * d), nn.SiLU(), nn.Linear(2 * d, d))
        self.asset = nn.Embedding(num_assets, d)
        nn.init.normal_(self.asset.weight, std=0.02)
        build = BuildContext(
            d_model=d,
            seq_len=config.history,
            num_features=_NUM_SEQUENCE,
            horizon=spec.horizon,
            num_future=len(spec.future_names) + _NUM_LEAD,
        )
        self.blocks = nn.ModuleList(block.cls(build, options) for block, options in config.block_parts)
        head, head_options = config.head_part
        self.head = head.cls(build, head_options)
        check_built(self)
        # measured, not learned; see nets.dependence
        self.register_buffer("correlation", torch.eye(num_assets))

    def forward(self, batch: Batch) -> Law:
        """Return the law of the windows' future."""
        patched = batch.sequence.unflatten(1, (self.config.history, self.config.patch)).flatten(2)
        summary = self.context(batch.context) + self.asset(batch.asset)
        latent = self.stem(patched) + summary[:, None]
        for block in self.blocks:
            with unchanged(block):
                latent = block(latent)
        with unchanged(self.head):
            law: Law = self.head(latent, batch.future)
        return law

    @property
    def num_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())
