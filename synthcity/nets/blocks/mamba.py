from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv1d, silu, softplus

from synthcity.nets.blocks.base import BuildContext, ResidualBlock
from synthcity.nets.blocks.precision import full_precision
from synthcity.nets.parameters import choice, integer, real
from synthcity.nets.registry import register_block

_DT_MIN, _DT_MAX = 1e-3, 1e-1
_CHUNK = 16  # steps


class StateSpace(NamedTuple):
    """All that the block keeps of the steps so far: the last inputs of its convolution and the recurrent state."""

    tail_bke: Tensor
    h_bne: Tensor


@register_block("mamba", causal=True)
class MambaBlock(ResidualBlock):
    """Selective state space: a linear recurrence whose memory and intake are chosen anew from each step's input.

    Each channel keeps ``d_state`` leaky sums, h[t] = exp(dt[t] A) h[t-1] + dt[t] B[t] x[t], and reads them as
    C[t] h[t] + D x[t] (Gu & Dao, Mamba: Linear-Time Sequence Modeling with Selective StateSpace Spaces, 2023,
    arXiv 2312.00752). The step size dt, B and C are computed from the input, so the block can hold a shock for hours
    or drop it at once. A short causal convolution and SiLU come before, a SiLU gate after. Where the paper fuses the
    recurrence into one GPU kernel, here plain tensor operations scan all chunks of the sequence at once and then hand
    the state from chunk to chunk. Decays are only ever multiplied, never divided by, so nothing overflows. Causal: the
    last position has seen the whole history, and ``step`` goes on from a kept state when new bars come in.

    Shapes: (batch, seq, d_model) -> the same; order is inherent, any length works. Cost grows with seq, expand and
    d_state.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        d_state: int = choice(8, (4, 8, 16), doc="leaky sums a channel: how many time scales it can remember at once")
        expand: int = integer(2, low=1, high=3, doc="inner width in units of d_model")
        d_conv: int = integer(4, low=2, high=6, doc="steps seen by the convolution before the recurrence")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on the residual branch")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        d, width, n = context.d_model, config.expand * context.d_model, config.d_state
        self.sizes = (math.ceil(d / 16), n, n)  # of the low-rank dt, of B and of C
        self.in_proj = nn.Linear(d, 2 * width, bias=False)
        self.conv = nn.Conv1d(width, width, config.d_conv, groups=width)
        self.select = nn.Linear(width, sum(self.sizes), bias=False)
        self.dt_proj = nn.Linear(self.sizes[0], width)
        self.log_rate_ne = nn.Parameter(torch.arange(1.0, n + 1).log()[:, None].repeat(1, width))  # A = -1 .. -n
        self.skip_e = nn.Parameter(torch.ones(width))
        self.out_proj = nn.Linear(width, d, bias=False)
        with torch.no_grad():
            dt = torch.empty(width).uniform_(math.log(_DT_MIN), math.log(_DT_MAX)).exp()
            self.dt_proj.bias.copy_(dt + torch.log(-torch.expm1(-dt)))  # softplus of it is dt

    def initial_state(self, batch: int) -> StateSpace:
        """Return the state before the first step, for ``batch`` windows."""
        taps, like = self.conv.kernel_size[0], full_precision(self.skip_e)
        width = len(like)
        tail = self.conv.weight.new_zeros(batch, taps - 1, width)
        return StateSpace(tail, like.new_zeros(batch, self.sizes[1], width))

    def step(self, x_bsd: Tensor, state: StateSpace) -> tuple[Tensor, StateSpace]:
        """Go on from ``state`` with one or more new bars; return their outputs and the state after them."""
        mixed, state = self._advance(self.norm(x_bsd), state)
        return x_bsd + self.dropout(mixed), state

    def mix(self, x_bsd: Tensor) -> Tensor:
        return self._advance(x_bsd, self.initial_state(len(x_bsd)))[0]

    def _advance(self, x_bsd: Tensor, state: StateSpace) -> tuple[Tensor, StateSpace]:
        x_bse, gate_bse = self.in_proj(x_bsd).chunk(2, dim=-1)
        seen_bse = torch.cat([state.tail_bke.to(x_bse.dtype), x_bse], dim=1)
        conv = conv1d(seen_bse.transpose(1, 2), self.conv.weight, self.conv.bias, groups=self.conv.groups)
        u_bse = silu(conv.transpose(1, 2))
        y_bse, h_bne = self._recur(u_bse, state.h_bne)
        out: Tensor = self.out_proj(y_bse.to(u_bse.dtype) * silu(gate_bse))
        return out, StateSpace(seen_bse[:, seen_bse.shape[1] - state.tail_bke.shape[1] :], h_bne)

    def _recur(self, u_bse: Tensor, h_bne: Tensor) -> tuple[Tensor, Tensor]:
        rank_bsr, b_bsn, c_bsn = self.select(u_bse).split(self.sizes, dim=-1)
        dt_bse = softplus(full_precision(self.dt_proj(rank_bsr)))
        u, b, c = full_precision(u_bse), full_precision(b_bsn), full_precision(c_bsn)
        rate_ne = -full_precision(self.log_rate_ne).exp()
        decay_bsne = (dt_bse[:, :, None] * rate_ne).exp()
        drive_bsne = (dt_bse * u)[:, :, None] * b[..., None]
        h_bsne = scan(decay_bsne, drive_bsne, h_bne)
        y_bse = (c[:, :, None] @ h_bsne).squeeze(2) + full_precision(self.skip_e) * u
        return y_bse, h_bsne[:, -1]


def scan(decay: Tensor, drive: Tensor, start: Tensor) -> Tensor:
    """Return h[:, t] = decay[:, t] h[:, t-1] + drive[:, t] for all t, with h[:, -1] = ``start``.

    ``decay`` and ``drive`` are (batch, seq, ...), ``start`` is (batch, ...).
    """
    out: Tensor = _Scan.apply(decay, drive, start)
    return out


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, decay: Tensor, drive: Tensor, start: Tensor) -> Tensor:
        h = _chunked(decay, drive, start)
        ctx.save_for_backward(decay, h, start)
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The adjoint is the same recurrence backwards in time: g[t] = grad[t] + decay[t+1] g[t+1]."""
        decay, h, start = ctx.saved_tensors
        later = torch.cat([decay[:, 1:], torch.zeros_like(decay[:, :1])], dim=1)
        g = _chunked(later, grad, torch.zeros_like(start), backwards=True)
        before = torch.cat([start[:, None], h[:, :-1]], dim=1)
        return g * before, g, g[:, 0] * decay[:, 0]


def _chunked(decay: Tensor, drive: Tensor, start: Tensor, *, backwards: bool = False) -> Tensor:
    """Scan every chunk from zero, all chunks at once, then add what the state that enters it has become."""
    seq = decay.shape[1]
    size = min(_CHUNK, seq)
    # h[:, c, t] is the state at step t of chunk c; reach[:, c, t] is the share of the state before the chunk left there
    h, reach = _cut(drive, size), _cut(decay, size)
    order = slice(None, None, -1 if backwards else 1)
    steps, chunks = range(size)[order], range(h.shape[1])[order]
    for before, t in pairwise(steps):
        h[:, :, t].addcmul_(reach[:, :, t], h[:, :, before])
        reach[:, :, t].mul_(reach[:, :, before])
    for chunk in chunks:
        h[:, chunk].addcmul_(reach[:, chunk], start[:, None])
        start = h[:, chunk, steps[-1]]
    return h.flatten(1, 2)[:, :seq]


def _cut(x: Tensor, size: int) -> Tensor:
    """Copy (batch, seq, ...) into chunks (batch, count, size, ...), with zeros after the end."""
    missing = -x.shape[1] % size
    whole = torch.cat([x, torch.zeros_like(x[:, :missing])], dim=1) if missing else x.clone()
    chunks: Tensor = whole.unflatten(1, (-1, size))
    return chunks
