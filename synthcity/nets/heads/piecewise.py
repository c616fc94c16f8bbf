"""Quantile functions that cannot cross: straight lines between fixed levels, Pareto tails beyond."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

# every level is a whole number of cells of 0.005, so that the bin of a probability is looked up, not searched
_CELLS = (1, 2, 4, 8, 14, 22, 32, 44, 58, 72, 86, 100)
_CELL = 0.005
TAIL = _CELLS[0] * _CELL
HALF = len(_CELLS)
NUM_RAW = 2 * HALF - 1 + 4
_LEAST, _WIDEST = 0.02, 0.4  # of the tail index; the variance is finite below one half
_FIRST_SCALE = 0.91  # of the tails: meets the Student-t of 4 degrees of freedom at 0.9995
_BINS = tuple(sum(edge <= cell for edge in _CELLS) for cell in range(_CELLS[-1]))


class QuantileFunction:
    """A batch of increasing maps from probabilities to values, each with 23 knots at levels 0.005 to 0.995.

    The value at the median and positive gaps to its neighbours give the knots; beyond the outermost ones the tails are
    generalised Pareto, ``Q(1 - 0.005 v) = Q(0.995) + scale (v^(-index) - 1) / index``. As in Gasthaus et al.
    (*Probabilistic Forecasting with Spline Quantile Function RNNs*, AISTATS 2019) the quantile function is a spline
    whose CRPS has a closed form; tails after Pickands (1975).

    Args:
        raw_bp: unconstrained parameters (batch, 27); zero gives the Student-t of 4 degrees of freedom and unit
            variance up to the straight lines.
    """

    def __init__(self, raw_bp: Tensor) -> None:
        median, gaps, scale, index = raw_bp.split([1, 2 * HALF - 2, 2, 2], dim=1)
        levels = knot_levels(raw_bp)
        first = _student4(levels).diff()
        gaps = first.to(raw_bp.dtype) * _positive(gaps)
        below, above = gaps[:, : HALF - 1], gaps[:, HALF - 1 :]
        low = median - below.flip(1).cumsum(1).flip(1)
        self.knot_bk = torch.cat([low, median, median + above.cumsum(1)], dim=1)
        self.index_b2 = _LEAST + _WIDEST * torch.sigmoid(index + 0.3)  # 0.25 at zero
        self.scale_b2 = _FIRST_SCALE * _positive(scale)

    def __call__(self, tail: Tensor, upper: Tensor) -> Tensor:
        """Return values (batch, ...) at probability ``tail`` of the upper or the lower end, at most one half."""
        shape, tail, upper = tail.shape, tail.flatten(1), upper.flatten(1)
        column = _half_bin(tail) + HALF * upper
        start, slope = (part.gather(1, column) for part in self._halves())
        value = (start + slope * tail.clamp(min=TAIL)).flatten()
        # one value in a hundred lies in a tail: only those take its powers
        outer = (tail.detach() < TAIL).flatten().nonzero()[:, 0]
        end = 2 * outer.div(tail.shape[1], rounding_mode="floor") + upper.flatten()[outer]
        index = self.index_b2.flatten()[end]
        reach = torch.expm1(-index * torch.log(tail.flatten()[outer] / TAIL)) / index * self.scale_b2.flatten()[end]
        return value.index_add(0, outer, torch.where(end % 2 == 1, reach, -reach)).view(shape)

    def at(self, levels_q: Tensor) -> Tensor:
        """Return the values (batch, q) at probabilities in (0, 1)."""
        levels = levels_q.double().expand(len(self.knot_bk), -1)
        return self(torch.minimum(levels, 1 - levels).to(self.knot_bk.dtype), levels > 0.5)

    def inverse(self, value_bn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the probability of the nearer end, whether it is the upper, and the log density, each (batch, n)."""
        knot, levels = self.knot_bk, knot_levels(value_bn).to(value_bn.dtype).expand_as(self.knot_bk)
        at = torch.searchsorted(knot.detach().contiguous(), value_bn.contiguous())
        left = (at - 1).clamp(0, 2 * HALF - 3)
        width, height = levels.diff(dim=1).gather(1, left), knot.diff(dim=1).gather(1, left)
        inside = value_bn.clamp(min=knot[:, :1], max=knot[:, -1:])
        level = levels.gather(1, left) + width * (inside - knot.gather(1, left)) / height
        upper = level > 0.5
        scale, index = (torch.where(upper, p[:, 1:], p[:, :1]) for p in (self.scale_b2, self.index_b2))
        beyond = torch.log1p(index * (value_bn - inside).abs() / scale)
        tail = torch.where(upper, 1 - level, level) * torch.exp(-beyond / index)
        outer = math.log(TAIL) - scale.log() - (1 + 1 / index) * beyond
        return tail, upper, torch.where(value_bn == inside, (width / height).log(), outer)

    def crps(self, value_bn: Tensor) -> Tensor:
        """Return the continuous ranked probability score (batch, n) of each value, in closed form.

        ``y (2 F(y) - 1) + 2 int_F(y)^1 Q dp - 2 int_0^1 p Q dp``, which is ``2 int (1{F(y) < p} - p)(Q(p) - y) dp``
        (Gneiting & Raftery, JASA 2007), with Q made of lines and powers.
        """
        tail, upper, _ = self.inverse(value_bn)
        below, above = torch.where(upper, 1 - tail, tail), torch.where(upper, tail, 1 - tail)
        levels, knot = knot_levels(value_bn).to(value_bn.dtype), self.knot_bk
        first, last, low, high = levels[:-1], levels[1:], knot[:, :-1], knot[:, 1:]
        # lines: from the level, or from the bin's start if that is higher
        start = torch.maximum(below[..., None], first).minimum(last)
        at_start = low[:, None] + ((high - low) / (last - first))[:, None] * (start - first)
        area = ((last - start) * (at_start + high[:, None]) / 2).sum(-1)
        moment = ((last - first) * (low * (2 * first + last) + high * (first + 2 * last)) / 6).sum(-1)
        for side, (beyond, end) in enumerate(((below, knot[:, :1]), (above, knot[:, -1:]))):
            sign, index = 2.0 * side - 1, self.index_b2[:, side : side + 1]
            bend = sign * self.scale_b2[:, side : side + 1] / index
            whole = end + bend * index / (1 - index)
            v = (beyond / TAIL).clamp(max=1.0)
            part = end * v + bend * (v ** (1 - index) / (1 - index) - v)
            area = area + TAIL * (part if side else whole - part)
            first_moment = TAIL * (end / 2 + bend * (1 / (2 - index) - 0.5))
            moment = moment + (TAIL * ((whole - first_moment) if side else first_moment))[:, 0]
        return value_bn * (below - above) + 2 * area - 2 * moment[:, None]

    def _halves(self) -> tuple[Tensor, Tensor]:
        """Lines over the probability of the nearer end, lower half first: values at zero and slopes (batch, 2 HALF).

        The first line of each half belongs to the tail: flat, at the outermost knot.
        """
        knot = self.knot_bk
        levels = knot_levels(knot)[:HALF].to(knot.dtype)
        starts, slopes = [], []
        for side in (knot[:, :HALF], knot[:, HALF - 1 :].flip(1)):
            slope = nn.functional.pad(side.diff(dim=1) / levels.diff(), (1, 0))
            slopes.append(slope)
            starts.append(
                torch.cat([side[:, :1], side[:, :-1]], dim=1) - slope * nn.functional.pad(levels[:-1], (1, 0))
            )
        return torch.cat(starts, dim=1), torch.cat(slopes, dim=1)


def knot_levels(like: Tensor) -> Tensor:
    """The 23 levels, ascending, in double precision on the device of ``like``."""
    half = torch.tensor(_CELLS, dtype=torch.float64, device=like.device) * _CELL
    return torch.cat([half, 1 - half[:-1].flip(0)])


def _half_bin(tail: Tensor) -> Tensor:
    """Which line of a half a probability lies on: 0 for the tail, HALF - 1 next to the median."""
    cell = (tail.detach() / _CELL).long().clamp(0, _CELLS[-1] - 1)  # NaN has a cell too: it must show in the values
    return torch.tensor(_BINS, device=tail.device).take(cell)


def _positive(raw: Tensor) -> Tensor:
    """Map to (0.02, inf): one at zero, a straight line far out."""
    return 0.02 + 0.98 * nn.functional.softplus(raw + math.log(math.e - 1))


def _student4(levels: Tensor) -> Tensor:
    """Quantiles of the Student-t of 4 degrees of freedom and unit variance, which have a closed form (Shaw 2006)."""
    root = torch.sqrt(4 * levels * (1 - levels))
    squared = 4 * (torch.cos(torch.acos(root) / 3) / root - 1)
    return torch.sign(levels - 0.5) * torch.sqrt(squared.clamp(min=0) / 2)
