"""The network's score as a differentiable loss.

The same terms as ``sn50.scoring``, built from log returns for a batch of windows at once, scored by the fair CRPS
(Ferro 2014): its expectation does not depend on the number of training paths, so 24 of them train for 1,000.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from synthcity.sn50.competitions import Competition, Interval

BASIS_POINTS = 1e4
_SORT_ROWS = 1024  # at a time, so that they stay in the cache


class ScoreLoss:
    """Mean score of a batch in basis points; ``per_window`` gives (batch,) scores.

    ``paths`` are simulated log returns (batch, paths, horizon); ``realised`` (batch, horizon + 1) log prices from t0
    on, NaN where none was seen: a term with such an end is skipped, as the network skips it. A ``tilt`` other than 0,
    for training alone, weighs each term by the time of its horizon to this power; 0.5 gives all intervals of a random
    walk the same part of the score, less than 0 leans towards short ones. What such a walk scores is as much as before.
    """

    def __init__(self, competition: Competition, *, tilt: float = 0.0) -> None:
        self._competition = competition
        self._tilt = tilt

    def per_window(self, paths_bnh: Tensor, realised_bt: Tensor, weight_bk: Tensor | None = None) -> Tensor:
        """Return scores (batch,); ``weight_bk`` are the weights of equally large strata of the paths."""
        return self.per_term(paths_bnh, realised_bt, weight_bk).sum(-1)

    def horizons(self, num_steps: int) -> list[int]:
        """Return for each term which of the competition's horizons it belongs to, for paths of ``num_steps``."""
        step, found = self._competition.time_increment, []
        for number, horizon in enumerate(self._competition.horizons):
            is_one = isinstance(horizon, Interval) and horizon.kind == "first_change"
            found += [number] * (1 if is_one else num_steps // (horizon.seconds // step))
        return found

    def per_term(self, paths_bnh: Tensor, realised_bt: Tensor, weight_bk: Tensor | None = None) -> Tensor:
        """Return what each term adds to the scores (batch, terms); see ``per_window``."""
        simulated, observed, weight_m = self._terms(paths_bnh.float(), realised_bt.float())
        if weight_bk is None:
            crps = _FairCRPS.apply(simulated, observed)
        else:
            crps = _stratified_crps(simulated, observed, weight_bk)
        if self._tilt:
            weight_m = weight_m * self._tilted(paths_bnh.shape[-1]).to(weight_m.device)
        seen = torch.isfinite(observed)
        found: Tensor = torch.where(seen, crps, 0.0) * weight_m
        return found

    def _tilted(self, num_steps: int) -> Tensor:
        """By what each term is multiplied (terms,), scaled so that a random walk's score stays as it is."""
        horizons = [self._competition.horizons[number] for number in self.horizons(num_steps)]
        step = self._competition.time_increment
        sizes = np.array([h.seconds**0.5 if isinstance(h, Interval) else h.weight * step**0.5 for h in horizons])
        factors = np.array([h.seconds for h in horizons], float) ** self._tilt
        return torch.tensor(factors * (sizes.sum() / (sizes @ factors)), dtype=torch.float32)

    def _terms(self, paths_bnh: Tensor, realised_bt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Build all terms: simulated (batch, terms, paths), observed (batch, terms), weights (terms,)."""
        step, blocks = self._competition.time_increment, self._competition.volatility_blocks
        steps_bhn: Tensor = _Turn.apply(paths_bnh)
        moves, observed = [], []
        for interval in self._competition.intervals:
            k = interval.seconds // step
            if interval.kind == "change":
                moves.append(_moves(steps_bhn, k))
                observed.append(_seen_changes(realised_bt, k))
            elif interval.kind == "first_change":
                moves.append(_moves(steps_bhn[:, :k], k))
                observed.append(_seen_changes(realised_bt[:, : k + 1], k))
            else:
                # |X_T - y_T| / y_last: simulated levels relative to the realised ones
                for end in range(k, steps_bhn.shape[1] + 1, k):
                    move = realised_bt[:, end] - realised_bt[:, 0]
                    moves.append((steps_bhn[:, :end].sum(1) - torch.nan_to_num(move)[:, None])[:, None])
                    observed.append(0.0 * move[:, None])
        terms = [_basis_points(torch.cat(moves, 1))]  # all in one pass
        weights = [1.0] * terms[0].shape[1]
        changes = _basis_points(steps_bhn) if blocks else steps_bhn
        for block in blocks:
            k = block.seconds // step
            terms.append(_block_std(changes, k))
            observed.append(_block_std(_seen_changes(realised_bt, 1)[..., None], k)[..., 0])
            weights += [block.weight] * observed[-1].shape[1]
        weight_m = torch.tensor(weights, device=paths_bnh.device)
        return terms[0] if len(terms) == 1 else torch.cat(terms, 1), torch.cat(observed, 1), weight_m


def _basis_points(log_returns: Tensor) -> Tensor:
    """Simple returns of log returns, in basis points."""
    return BASIS_POINTS * torch.expm1(log_returns)


def _moves(log_returns_bhn: Tensor, k: int) -> Tensor:
    """Log returns over whole runs of ``k`` steps: (batch, steps, paths) -> (batch, steps // k, paths)."""
    if k == 1:
        return log_returns_bhn
    steps = log_returns_bhn.shape[1] // k * k
    moves: Tensor = log_returns_bhn[:, :steps].unflatten(1, (steps // k, k)).sum(2)
    return moves


def _seen_changes(log_prices: Tensor, k: int) -> Tensor:
    """Simple returns between every ``k``-th log price, basis points; NaN where an end was not seen."""
    return _basis_points(log_prices[:, ::k].diff(dim=-1))


def _block_std(changes_bhn: Tensor, k: int) -> Tensor:
    """Sample standard deviation in runs of ``k`` steps over the changes that were seen; NaN below two."""
    blocks = changes_bhn.unflatten(1, (-1, k))
    seen = torch.isfinite(blocks)
    count = seen.sum(2)
    filled = torch.where(seen, blocks, 0.0)
    mean = filled.sum(2, keepdim=True) / count.clamp(min=1)[:, :, None]
    square = torch.where(seen, filled - mean, 0.0).square().sum(2) / (count - 1).clamp(min=1)
    return torch.where(count >= 2, (square + 1e-12).sqrt(), torch.nan)


class _Turn(torch.autograd.Function):
    """Swap the last two dimensions in memory, and back for the gradient: operands of mixed strides cost four times."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.transpose(1, 2).contiguous()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        return grad_outputs[0].transpose(1, 2).contiguous()


class _FairCRPS(torch.autograd.Function):
    """mean |x - y| - sum_i (2 i - n + 1) x_(i) / (n (n - 1)) for sorted x, i from 0; forward knows the gradient."""

    @staticmethod
    def forward(ctx: Any, simulated_bmn: Tensor, observed_bm: Tensor) -> Tensor:
        n = simulated_bmn.shape[-1]
        rank = torch.arange(n, device=simulated_bmn.device, dtype=simulated_bmn.dtype)
        weight = (2 * rank - (n - 1)) / (n * (n - 1))
        pull = torch.empty_like(simulated_bmn).scatter_(-1, argsort(simulated_bmn), weight.expand_as(simulated_bmn))
        difference = simulated_bmn - torch.nan_to_num(observed_bm)[..., None]
        gradient = torch.sign(difference).div_(n).sub_(pull)
        ctx.save_for_backward(gradient)
        # the weights add up to zero, so the score is the product of its gradient and the differences
        return difference.mul_(gradient).sum(-1)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad_outputs[0][..., None], None


def argsort(values: Tensor) -> Tensor:
    """Return the indices that sort the last dimension.

    Six times as fast as torch on a CPU: NumPy sorts 64-bit whole numbers with vector instructions, so every float
    becomes one that sorts alike and holds its index in the lower half.
    """
    if values.device.type != "cpu" or values.dtype != torch.float32:
        return values.argsort(-1)
    n = values.shape[-1]
    rows = values.detach().contiguous().numpy().reshape(-1, n)
    keys = np.empty(rows.shape, np.int64)
    index = np.arange(n)

    def sort(first: int) -> None:
        key = keys[first : first + _SORT_ROWS]
        key[...] = rows[first : first + _SORT_ROWS].view(np.int32)
        key ^= (key >> 63) & 0x7FFF_FFFF  # negative floats sort backwards
        key <<= 32
        key |= index
        key.sort(-1)
        key &= 0xFFFF_FFFF

    parts = range(0, len(rows), _SORT_ROWS)
    if torch.get_num_threads() == 1 or len(parts) == 1:
        for first in parts:
            sort(first)
    else:
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            list(pool.map(sort, parts))
    return torch.from_numpy(keys).view(values.shape)


def _stratified_crps(simulated_bmn: Tensor, observed_bm: Tensor, weight_bk: Tensor) -> Tensor:
    """Unbiased CRPS of a mixture from equally many draws of each component.

    ``sum_k w_k E|X_k - y| - 1/2 sum_kl w_k w_l E|X_k - X_l|``, where pairs of one component leave out the draw itself.
    """
    batch, terms, n = simulated_bmn.shape
    strata = weight_bk.shape[1]
    per = n // strata
    weight_bn = (weight_bk / per).repeat_interleave(per, dim=1)[:, None].expand(batch, terms, n)
    error = (weight_bn * (simulated_bmn - torch.nan_to_num(observed_bm)[..., None]).abs()).sum(-1)
    index = argsort(simulated_bmn)
    ordered, w = simulated_bmn.gather(-1, index), weight_bn.gather(-1, index)
    spread = (w * ordered * (2 * w.cumsum(-1) - w - 1)).sum(-1)
    within = simulated_bmn.unflatten(-1, (strata, per))
    within = within.gather(-1, argsort(within))
    rank = 2 * torch.arange(per, device=within.device, dtype=within.dtype) - (per - 1)
    # mean absolute difference of a component with itself, biased; its missing 1 / per goes back in
    own = 2 * (within * rank).sum(-1) / per**2
    fair: Tensor = error - spread - 0.5 * (weight_bk[:, None].square() * own).sum(-1) / (per - 1)
    return fair
