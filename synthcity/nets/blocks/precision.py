"""Number formats inside blocks."""

from __future__ import annotations

import torch
from torch import Tensor


def full_precision(x: Tensor) -> Tensor:
    """Return ``x`` in float32 if it is in half precision, which has no FFT and is too coarse for long sums."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
