"""Carrying a sequence to another length, for blocks whose weights belong to one."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import adaptive_avg_pool1d, interpolate


def at_length(x_bsd: Tensor, seq: int) -> Tensor:
    """Carry (batch, any, d) to (batch, seq, d): longer ones are averaged in even pieces, shorter ones interpolated.

    Interpolation is linear between the first and the last step, which stay what they are.
    """
    x_bds = x_bsd.transpose(1, 2)
    if x_bds.shape[-1] == seq:
        return x_bsd
    if x_bds.shape[-1] > seq:
        return adaptive_avg_pool1d(x_bds, seq).transpose(1, 2)
    return interpolate(x_bds, size=seq, mode="linear", align_corners=True).transpose(1, 2)
