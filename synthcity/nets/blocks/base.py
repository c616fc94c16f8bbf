"""What a block knows when it is built, and the residual frames that blocks share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn

from synthcity.nets.blocks.length import at_length


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


class BuiltLengthBlock(ResidualBlock):
    """A residual block whose branch mixes at ``context.seq_len``: other lengths are brought there and back.

    The residual keeps its own length, so nothing but the branch is blurred. Subclasses implement ``mix_built``.
    """

    def __init__(self, context: BuildContext, dropout: float) -> None:
        super().__init__(context, dropout)
        self.seq_len = context.seq_len

    @abstractmethod
    def mix_built(self, x_bsd: Tensor) -> Tensor:
        """Transform the normalised input, (batch, seq_len, d_model) to the same."""

    def mix(self, x_bsd: Tensor) -> Tensor:
        return at_length(self.mix_built(at_length(x_bsd, self.seq_len)), x_bsd.shape[1])
