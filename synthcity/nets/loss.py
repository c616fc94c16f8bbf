"""The network's score as a differentiable loss.

The same terms as ``sn50.scoring``, built from log returns for a batch of windows at once, scored by the fair CRPS
(Ferro 2014): its expectation does not depend on the number of training paths, so 24 of them train for 1,000.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from synthcity.sn50.competitions import Competition

BASIS_POINTS = 1e4


class ScoreLoss:
    """Mean score of a batch in basis points; ``per_window`` gives (batch,) scores.

    ``paths`` are simulated log returns (batch, paths, horizon); ``realised`` (batch, horizon + 1) log prices from t0
    on, NaN where none was seen: a term with such an end is skipped, as the network skips it.
    """

    def __init__(self, competition: Competition) -> None:
        self._competition = competition

    def per_window(self, paths_bnh: Tensor, realised_bt: Tensor, weight_bk: Tensor | None = None) -> Tensor:
        """Return scores (batch,); ``weight_bk`` are the weights of equally large strata of the paths."""
        simulated, observed, weight_m = self._terms(paths_bnh.float(), realised_bt.float())
        if weight_bk is None:
            crps = _FairCRPS.apply(simulated, observed)
        else:
            crps = _stratified_crps(simulated, observed, weight_bk)
        seen = torch.isfinite(observed)
        total: Tensor = (torch.where(seen, crps, 0.0) * weight_m).sum(-1)
        return total

    def _terms(self, paths_bnh: Tensor, realised_bt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Build all terms: simulated (batch, terms, paths), observed (batch, terms), weights (terms,)."""
        step = self._competition.time_increment
        simulated, observed, weights = [], [], []

        def add(sim: Tensor, real: Tensor, weight: float = 1.0) -> None:
            simulated.append(sim)
            observed.append(real)
            weights.extend([weight] * sim.shape[-1])

        for interval in self._competition.intervals:
            k = interval.seconds // step
            if interval.kind == "change":
                add(_changes(paths_bnh, k), _seen_changes(realised_bt, k))
            elif interval.kind == "first_change":
                add(_changes(paths_bnh[..., :k], k), _seen_changes(realised_bt[..., : k + 1], k))
            else:
                # |X_T - y_T| / y_last: simulated levels relative to the realised ones
                for end in range(k, paths_bnh.shape[-1] + 1, k):
                    move = realised_bt[:, end] - realised_bt[:, 0]
                    relative = torch.expm1(paths_bnh[..., :end].sum(-1) - torch.nan_to_num(move)[:, None])
                    add(BASIS_POINTS * relative[..., None], 0.0 * move[:, None])
        for block in self._competition.volatility_blocks:
            k = block.seconds // step
            add(_block_std(_changes(paths_bnh, 1), k), _block_std(_seen_changes(realised_bt, 1), k), block.weight)
        weight_m = torch.tensor(weights, device=paths_bnh.device)
        return torch.cat(simulated, -1).transpose(1, 2), torch.cat(observed, -1), weight_m


def _changes(log_returns: Tensor, k: int) -> Tensor:
    """Simple returns over whole runs of ``k`` steps, basis points: (..., steps) -> (..., steps // k)."""
    steps = log_returns.shape[-1] // k * k
    summed = log_returns[..., :steps].unflatten(-1, (steps // k, k)).sum(-1) if k > 1 else log_returns
    return BASIS_POINTS * torch.expm1(summed)


def _seen_changes(log_prices: Tensor, k: int) -> Tensor:
    """Simple returns between every ``k``-th log price, basis points; NaN where an end was not seen."""
    return BASIS_POINTS * torch.expm1(log_prices[..., ::k].diff(dim=-1))


def _block_std(changes: Tensor, k: int) -> Tensor:
    """Sample standard deviation in runs of ``k`` changes over those that were seen; NaN below two."""
    blocks = changes.unflatten(-1, (-1, k))
    seen = torch.isfinite(blocks)
    count = seen.sum(-1)
    filled = torch.where(seen, blocks, 0.0)
    mean = filled.sum(-1, keepdim=True) / count.clamp(min=1)[..., None]
    square = torch.where(seen, filled - mean, 0.0).square().sum(-1) / (count - 1).clamp(min=1)
    return torch.where(count >= 2, (square + 1e-12).sqrt(), torch.nan)


class _FairCRPS(torch.autograd.Function):
    """mean |x - y| - sum_i (2 i - n + 1) x_(i) / (n (n - 1)) for sorted x, i from 0; forward knows the gradient."""

    @staticmethod
    def forward(ctx: Any, simulated_bmn: Tensor, observed_bm: Tensor) -> Tensor:
        n = simulated_bmn.shape[-1]
        ordered, index = simulated_bmn.contiguous().sort(-1)
        weight = (2 * torch.arange(n, device=ordered.device, dtype=ordered.dtype) - (n - 1)) / (n * (n - 1))
        difference = simulated_bmn - torch.nan_to_num(observed_bm)[..., None]
        gradient = torch.empty_like(ordered).scatter_(-1, index, weight.expand_as(ordered))
        gradient = torch.sign(difference).div_(n).sub_(gradient)
        ctx.save_for_backward(gradient)
        return difference.abs().mean(-1) - (ordered * weight).sum(-1)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad_outputs[0][..., None], None


def _stratified_crps(simulated_bmn: Tensor, observed_bm: Tensor, weight_bk: Tensor) -> Tensor:
    """Unbiased CRPS of a mixture from equally many draws of each component.

    ``sum_k w_k E|X_k - y| - 1/2 sum_kl w_k w_l E|X_k - X_l|``, where pairs of one component leave out the draw itself.
    """
    batch, terms, n = simulated_bmn.shape
    strata = weight_bk.shape[1]
    per = n // strata
    weight_bn = (weight_bk / per).repeat_interleave(per, dim=1)[:, None].expand(batch, terms, n)
    error = (weight_bn * (simulated_bmn - torch.nan_to_num(observed_bm)[..., None]).abs()).sum(-1)
    ordered, index = simulated_bmn.sort(-1)
    w = weight_bn.gather(-1, index)
    spread = (w * ordered * (2 * w.cumsum(-1) - w - 1)).sum(-1)
    within = simulated_bmn.unflatten(-1, (strata, per)).sort(-1).values
    rank = 2 * torch.arange(per, device=within.device, dtype=within.dtype) - (per - 1)
    # mean absolute difference of a component with itself, biased; its missing 1 / per goes back in
    own = 2 * (within * rank).sum(-1) / per**2
    fair: Tensor = error - spread - 0.5 * (weight_bk[:, None].square() * own).sum(-1) / (per - 1)
    return fair
