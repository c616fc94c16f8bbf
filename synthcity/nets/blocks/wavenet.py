from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from synthcity.nets.blocks.base import BuildContext, ResidualBlock
from synthcity.nets.parameters import choice, integer, real
from synthcity.nets.registry import register_block


@register_block("wavenet", causal=True)
class WaveNetBlock(ResidualBlock):
    """Gated causal convolutions whose dilation grows from layer to layer, read through summed skip outputs.

    Each layer convolves with a dilation of ``dilation_base`` to the power of its index, multiplies tanh(filter) by
    sigmoid(gate), adds a 1x1 projection of that to its input and sends another to the output; the skip outputs of all
    layers, so of all time scales, are summed and pass ReLU, 1x1, ReLU, 1x1 (van den Oord et al., WaveNet: A Generative
    Model for Raw Audio, 2016, arXiv 1609.03499). The receptive field is 1 + (kernel - 1) * sum of dilations steps:
    32 with the defaults. Differs from the paper: the output is a latent instead of a softmax over audio levels, with
    pre-norm and residual round the whole, so that it stacks; the last layer has no residual output, as nothing would
    read it.

    Shapes: (batch, seq, d_model) -> the same. Cost grows with seq and layers, all steps at once.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        layers: int = integer(5, low=1, high=6, doc="layers of a stack; each multiplies the dilation by its base")
        stacks: int = integer(1, low=1, high=2, doc="times that the dilations start again at one")
        kernel: int = choice(2, (2, 3), doc="taps of each convolution")
        dilation_base: int = choice(
            2, (2, 3), doc="factor between the dilations of layers; beyond kernel it leaves gaps"
        )
        skip_channels: int = choice(32, (16, 32, 64), doc="width of the summed skip outputs")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on the residual branch")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        d, skip = context.d_model, config.skip_channels
        dilations = [config.dilation_base**layer for layer in range(config.layers)] * config.stacks
        self.layers = nn.ModuleList(
            _Layer(d, skip, config.kernel, dilation, last=index == len(dilations) - 1)
            for index, dilation in enumerate(dilations)
        )
        self.read = nn.Sequential(nn.ReLU(), nn.Linear(skip, skip), nn.ReLU(), nn.Linear(skip, d))

    def mix(self, x_bsd: Tensor) -> Tensor:
        skips = []
        for layer in self.layers:
            x_bsd, skip_bsk = layer(x_bsd)
            skips.append(skip_bsk)
        out: Tensor = self.read(torch.stack(skips).sum(0))
        return out


class _Layer(nn.Module):
    """One gated dilated convolution: (batch, seq, d) -> input of the next layer (batch, seq, d), skip (batch, seq, k).

    The convolution is a product with the shifted copies of the sequence side by side: on a CPU faster than a dilated
    one. Without a residual output (``last``) the first is the input.
    """

    def __init__(self, width: int, skip: int, kernel: int, dilation: int, *, last: bool) -> None:
        super().__init__()
        self.lags = [tap * dilation for tap in reversed(range(kernel))]
        self.filter_and_gate = nn.Linear(kernel * width, 2 * width)
        self.skip = nn.Linear(width, skip)
        self.residual = None if last else nn.Linear(width, width)

    def forward(self, x_bsd: Tensor) -> tuple[Tensor, Tensor]:
        taps = torch.cat([_delay(x_bsd, lag) for lag in self.lags], dim=-1)
        filtered, gate = self.filter_and_gate(taps).chunk(2, dim=-1)
        gated_bsd = filtered.tanh() * gate.sigmoid()
        onward = x_bsd if self.residual is None else x_bsd + self.residual(gated_bsd)
        return onward, self.skip(gated_bsd)


def _delay(x_bsd: Tensor, lag: int) -> Tensor:
    """Move the sequence ``lag`` steps later; zeros come in from the left."""
    seq = x_bsd.shape[1]
    return pad(x_bsd[:, : max(seq - lag, 0)], (0, 0, min(lag, seq), 0))
