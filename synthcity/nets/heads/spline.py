"""Monotone rational-quadratic splines, a batch of them at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

BOUND = 6.0
_CURVE = 2.5  # how much denser the first knots lie in the middle
_FLOOR = 0.05  # share of its first size that a bin keeps
_STEEPEST = 2.0


class RationalQuadraticSpline:
    """Increasing maps of the real line, one a row of the batch: the identity outside [-6, 6].

    Inside, each of K bins is a ratio of two quadratics through its end points with given slopes there, increasing and
    once differentiable across bins, with a closed inverse (Gregory & Delbourgo 1982; Durkan, Bekasov, Murray &
    Papamakarios, *Neural Spline Flows*, NeurIPS 2019, arXiv 1906.04032, equations 4 to 8).

    Args:
        raw_bp: unconstrained parameters (batch, 3 K - 1); zero gives the identity. Sizes of bins keep at least a
            twentieth of their first value and slopes lie in (exp(-2), exp(2)), so no value makes it degenerate.
    """

    def __init__(self, raw_bp: Tensor) -> None:
        num_bins = (raw_bp.shape[1] + 1) // 3
        first = _first_sizes(num_bins, raw_bp.device)
        width, height, slope = raw_bp.split([num_bins, num_bins, num_bins - 1], dim=1)
        self.x_bk = _knots(width, first)
        self.y_bk = _knots(height, first)
        self.slope_bk = nn.functional.pad(torch.exp(_STEEPEST * torch.tanh(slope / _STEEPEST)), (1, 1), value=1.0)

    def __call__(self, x: Tensor) -> Tensor:
        """Map (batch, ...)."""
        inside = x.clamp(-BOUND, BOUND)
        start, width, low, height, first, bend = self._rows(inside, self.x_bk)
        t = (inside - start) / width
        between = t - t * t
        return low + height * (t * t + first * between) / (1 + bend * between) + (x - inside)

    def inverse(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return x with ``spline(x) = y`` and the log derivative log dx/dy there, both like ``y``."""
        inside = y.clamp(-BOUND, BOUND)
        start, width, low, height, first, bend = self._rows(inside, self.y_bk)
        # with u the height reached in the bin: (1 - first + u bend) t^2 + (first - u bend) t - u = 0
        u = (inside - low) / height
        b = first - u * bend
        t = 2 * u / (b + torch.sqrt(b * b + 4 * u * (1 - b)))
        between = t - t * t
        # the slope at the bin's end, in units of its chord
        last = bend + 2 - first
        slope = (last * t * t + 2 * between + first * (1 - t) ** 2) * height / width / (1 + bend * between) ** 2
        x = start + t * width + (y - inside)
        return x, torch.where(y == inside, -slope.log(), 0.0)

    def _rows(self, value: Tensor, knot_bk: Tensor) -> tuple[Tensor, ...]:
        """Parameters of the bin in which each value lies: start, width, low, height, first slope and bend.

        Slopes are in units of the bin's chord; the bend is the sum of both less 2.
        """
        # few bins, many values: comparing with each inner knot is faster than a binary search
        index = torch.zeros(value.shape, dtype=torch.uint8, device=value.device)
        for knot_b in knot_bk.detach()[:, 1:-1].unbind(1):
            index += value >= knot_b.view(-1, *[1] * (value.dim() - 1))
        row = index.long().flatten(1)
        width, height = self.x_bk.diff(dim=1), self.y_bk.diff(dim=1)
        first, last = self.slope_bk[:, :-1] * width / height, self.slope_bk[:, 1:] * width / height
        columns = (self.x_bk[:, :-1], width, self.y_bk[:, :-1], height, first, first + last - 2)
        return tuple(column.gather(1, row).view(value.shape) for column in columns)


def _first_sizes(num_bins: int, device: torch.device) -> Tensor:
    """Shares of [-6, 6] that the bins start with, those in the middle smallest: returns crowd there."""
    knot = torch.sinh(_CURVE * torch.linspace(-1, 1, num_bins + 1, device=device)) / math.sinh(_CURVE)
    return knot.diff() / 2


def _knots(raw_bk: Tensor, first: Tensor) -> Tensor:
    """Knots (batch, K + 1) from -6 to 6, exact at both ends."""
    share = (1 - _FLOOR) * torch.softmax(raw_bk + first.log(), dim=1) + _FLOOR * first
    inner = BOUND * (2 * share.cumsum(1)[:, :-1] - 1)
    return nn.functional.pad(nn.functional.pad(inner, (1, 0), value=-BOUND), (0, 1), value=BOUND)
