from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from synthcity.nets.blocks.base import BuildContext, ResidualBlock
from synthcity.nets.parameters import integer, real
from synthcity.nets.registry import register_block


@register_block("lstm", causal=True)
class LSTMBlock(ResidualBlock):
    """Long short-term memory: a cell state carried by gates, so that gradient survives long lags.

    Hochreiter & Schmidhuber, Neural Computation 9(8), 1997; the forget gate (Gers et al. 2000) starts open with a bias
    of one. Pre-norm, residual, causal: the last position has seen the whole history.

    Shapes: (batch, seq, d_model) -> the same. Cost grows with seq; the steps run one after another.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        num_layers: int = integer(1, low=1, high=2, doc="stacked layers inside the block")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on the residual branch")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        d = context.d_model
        self.lstm = nn.LSTM(d, d, config.num_layers, batch_first=True)
        for layer in range(config.num_layers):
            # torch orders the gates input, forget, cell, output and adds two biases: put the one in the first
            getattr(self.lstm, f"bias_ih_l{layer}").data[d : 2 * d] = 1.0
            getattr(self.lstm, f"bias_hh_l{layer}").data[d : 2 * d] = 0.0

    def mix(self, x_bsd: Tensor) -> Tensor:
        out: Tensor = self.lstm(x_bsd)[0]
        return out
