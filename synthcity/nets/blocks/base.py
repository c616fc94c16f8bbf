"""What a block knows when it is built, and the residual frame that all blocks share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """Sizes of the network around a component; ``seq_len`` is the built length, other lengths must still work."""

    d_model: int
    seq_len: int
    num_features: int
    horizon: int
    num_future: int


class ResidualBlock(nn.Module, ABC):
    """``x + dropout(mix(norm(x)))``: subclasses implement ``mix``, which may look along the sequence."""

    def __init__(self, context: BuildContext, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(context.d_model)
        self.dropout = nn.Dropout(dropout)

    @abstractmethod
    def mix(self, x_bsd: Tensor) -> Tensor:
        """Transform the normalised input, (batch, seq, d_model) to the same."""

    def forward(self, x_bsd: Tensor) -> Tensor:
        out: Tensor = x_bsd + self.dropout(self.mix(self.norm(x_bsd)))
        return out
