"""How assets move together, measured on the training period, so that their paths can be drawn jointly."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthcity.market.dataset import Dataset

Floats = NDArray[np.float64]

_APART = (1, 3, 9, 27, 81, 243, 729)  # distances in steps of the pairs of times that are compared
_PRIOR_STEPS = 50  # simultaneous steps that weigh as much as the belief in independence
_LEAST_EIGENVALUE = 0.01
_KNOWN: WeakKeyDictionary[Dataset, Tensor] = WeakKeyDictionary()


def asset_correlation(dataset: Dataset) -> Tensor:
    """Return the correlation of the normals behind simultaneous steps (assets, assets), float32, positive definite.

    See ``rank_correlation``; nothing later than the last training window is used.
    """
    if dataset not in _KNOWN:
        _KNOWN[dataset] = torch.from_numpy(rank_correlation(_training_returns(dataset)).astype(np.float32))
    return _KNOWN[dataset]


def joint_factor(correlation_aa: Tensor, assets: Sequence[int]) -> Tensor:
    """Return the lower factor of the correlation of some assets, as ``Law.draw_noise`` takes it."""
    chosen = torch.tensor(assets, device=correlation_aa.device)
    factor: Tensor = torch.linalg.cholesky(correlation_aa[chosen][:, chosen].double())
    return factor.to(correlation_aa.dtype)


def rank_correlation(returns_as: Floats) -> Floats:
    """Correlate simultaneous returns (assets, steps), NaN where none was seen, by Kendall's tau.

    ``rho = sin(pi tau / 2)`` holds for every elliptical law (Lindskog, McNeil & Schmock 2003), so neither fat tails nor
    a volatility that moves nor outliers bias it, which no correlation of the returns themselves can say. Tau (b, that
    is with ties) counts concordant less discordant pairs of times, taken at a few distances, where both assets were
    seen. Shrunk towards independence where few steps are shared; small eigenvalues are raised.
    """
    concordant = np.zeros((len(returns_as), len(returns_as)))
    untied = np.zeros_like(concordant)  # pairs of times between which the row's asset moved, the column's being seen
    for apart in _APART:
        change = returns_as[:, apart:] - returns_as[:, :-apart]
        sign = np.sign(np.nan_to_num(change)).astype(np.float32)
        concordant += sign @ sign.T
        untied += np.abs(sign) @ np.isfinite(change).astype(np.float32).T
    tau = concordant / np.sqrt(np.maximum(untied * untied.T, 1))
    seen = np.isfinite(returns_as).astype(np.float32)
    shared = seen @ seen.T
    correlation = np.sin(np.pi / 2 * tau) * shared / (shared + _PRIOR_STEPS)
    np.fill_diagonal(correlation, 1.0)
    return _positive_definite(correlation)


def _training_returns(dataset: Dataset) -> Floats:
    """Returns up to the end of the training windows on one grid (assets, steps), NaN where none was seen."""
    increment = dataset.spec.increment
    ends = [int(dataset.train[asset][-1]) + dataset.spec.horizon + 1 for asset in dataset.assets]
    tables = [dataset.tables[asset] for asset in dataset.assets]
    first = min(int(table.time[0]) for table in tables)
    last = max(int(table.time[end - 1]) for table, end in zip(tables, ends, strict=True))
    returns = np.full((len(tables), (last - first) // increment + 1), np.nan)
    for row, table, end in zip(returns, tables, ends, strict=True):
        row[(table.time[:end] - first) // increment] = table.returns[:end]
    return returns


def _positive_definite(correlation: Floats) -> Floats:
    """Raise small eigenvalues, which pairs measured on different steps can leave, and restore the unit diagonal."""
    value, vector = np.linalg.eigh(correlation)
    raised = (vector * np.maximum(value, _LEAST_EIGENVALUE)) @ vector.T
    scale = np.sqrt(np.diag(raised))
    return np.asarray(raised / scale[:, None] / scale)
