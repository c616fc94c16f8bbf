from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from synthcity.nets.blocks.base import BuildContext, ResidualBlock
from synthcity.nets.parameters import integer, real
from synthcity.nets.registry import register_block


@register_block("gru", causal=True)
class GRUBlock(ResidualBlock):
    """Gated recurrent unit: one state that an update gate either keeps or replaces, step by step.

    A reset gate decides how much of the old state enters the proposal of the new one (Cho et al., Learning Phrase
    Representations using RNN Encoder-Decoder, EMNLP 2014, arXiv 1406.1078). Lighter than the LSTM by one gate and the
    separate cell. Differs from the paper: pre-norm and residual, so that it stacks, and the update gate starts with a
    bias of one, so that the state is kept for longer at first. Causal: the last position has seen the whole history.

    Shapes: (batch, seq, d_model) -> the same. Cost grows with seq; the steps run one after another.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        num_layers: int = integer(1, low=1, high=2, doc="stacked layers inside the block")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on the residual branch")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        d = context.d_model
        self.gru = nn.GRU(d, d, config.num_layers, batch_first=True)
        for layer in range(config.num_layers):
            # torch orders the gates reset, update, new and adds two biases: put the one in the first
            getattr(self.gru, f"bias_ih_l{layer}").data[d : 2 * d] = 1.0
            getattr(self.gru, f"bias_hh_l{layer}").data[d : 2 * d] = 0.0

    def mix(self, x_bsd: Tensor) -> Tensor:
        out: Tensor = self.gru(x_bsd)[0]
        return out
