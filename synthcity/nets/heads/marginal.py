"""Exact quantiles of a step: a Student-t or normal whose scale is itself random.

With ``X = exp(o_K + spread * N) * Z`` (regime K with offset o_K, N standard normal, Z symmetric of unit variance)
the logarithm ``log |X|`` is a sum of independent parts. Its density on a regular grid is that of ``log |Z|``, shifted
and mixed over the regimes, times the Gaussian's characteristic function in Fourier space; dividing by the frequency
integrates it. All of these functions are analytic in a strip around the real line, so that the trapezoidal rule and
the FFT converge geometrically (Trefethen & Weideman, *The exponentially convergent trapezoidal rule*, SIAM Review 56,
2014): the grid below gives distribution functions to 1e-10. Quantiles come from cubic Hermite interpolation of log |x|
over the logit of P(|X| <= x), nearly straight at both ends: relative error below 1e-4 for levels in [1e-8, 1 - 1e-8].
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from synthcity.nets.heads.law import normal_log_density, student_log_density

_STEP, _POINTS, _START = 0.15, 256, -24.0  # the grid of log |x|; both ends lie where nothing is left of any law
_INTERPOLATED = 100  # below it, at |x| < 1.3e-4, the distribution function is a straight line
_LINE = 20.0
_MIN_TAIL = 1e-8


def scale_mixture_quantiles(
    levels_q: Tensor,
    log_scale_bh: Tensor,
    dof_bh: Tensor | None,
    *,
    spread_bh: Tensor | None = None,
    regimes: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Quantiles (batch, horizon, levels) of ``exp(log_scale + o_K + spread * N) * Z``.

    Args:
        levels_q: probabilities; those nearer than 1e-8 to 0 or 1 are taken as 1e-8 away.
        log_scale_bh: log of a step's volatility.
        dof_bh: degrees of freedom of Z, a Student-t of unit variance; None means normal.
        spread_bh: standard deviation of a log-normal factor, broadcast to (batch, horizon).
        regimes: probabilities and log scales (batch, regimes) of the regimes.

    Raises:
        ValueError: a level lies outside (0, 1).
    """
    if not bool(((levels_q > 0) & (levels_q < 1)).all()):
        raise ValueError(f"levels must lie in (0, 1), got {levels_q.min():g} to {levels_q.max():g}")
    y, frequency = _grid(log_scale_bh.device)
    shape = (*log_scale_bh.shape, _POINTS)
    if regimes is None:
        density = _log_magnitude_density(y, dof_bh).expand(shape)
    else:
        density = torch.zeros(shape, dtype=torch.float64, device=y.device)
        for weight_b, offset_b in zip(*(part.double()[..., None, None].unbind(1) for part in regimes), strict=True):
            density = density + weight_b * _log_magnitude_density(y - offset_b, dof_bh)
    spectrum = torch.fft.rfft(density / (_STEP * density.sum(-1, keepdim=True)))
    if spread_bh is not None:
        spectrum = spectrum * torch.exp(-0.5 * (spread_bh.double()[..., None] * frequency).square())
    nodes = _distribution(spectrum.flatten(0, 1))
    tail_q = torch.minimum(levels_q.double(), 1 - levels_q.double()).clamp(_MIN_TAIL, 0.5 - _MIN_TAIL)
    log_magnitude = _interpolate(*nodes, log_scale_bh.double().flatten(), torch.log((0.5 - tail_q) / tail_q))
    signed = torch.sign(levels_q - 0.5).float() * log_magnitude.exp()
    return signed.view(*log_scale_bh.shape, -1)


def _grid(device: torch.device) -> tuple[Tensor, Tensor]:
    """Grid of log |x| and the angular frequencies of its real FFT."""
    y = _START + _STEP * torch.arange(_POINTS, dtype=torch.float64, device=device)
    frequency = 2 * math.pi * torch.fft.rfftfreq(_POINTS, _STEP, dtype=torch.float64, device=device)
    return y, frequency


def _log_magnitude_density(y: Tensor, dof_bh: Tensor | None) -> Tensor:
    """Density of log |Z| at ``y`` (..., g), which is 2 x f(x) at x = exp(y)."""
    x = y.exp()
    log_density = normal_log_density(x) if dof_bh is None else student_log_density(x, dof_bh.double()[..., None])
    return 2 * torch.exp(log_density + y)


def _distribution(spectrum_nf: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """From the spectrum of the density of log |x|: logit of P(|X| <= x) (n, g), log |x| (g,), its slope (n, g)."""
    y, frequency = _grid(spectrum_nf.device)
    density = torch.fft.irfft(spectrum_nf, n=_POINTS)[:, _INTERPOLATED:]
    # integrate: the mean becomes a ramp, every other frequency is divided by i w; counted from the right end
    wave = torch.fft.irfft(nn.functional.pad(spectrum_nf[:, 1:] / (1j * frequency[1:]), (1, 0)), n=_POINTS)
    ramp = spectrum_nf[:, :1].real / _POINTS * (_START + _POINTS * _STEP - y)
    beyond = (ramp + wave[:, :1] - wave)[:, _INTERPOLATED:].clamp(_MIN_TAIL * 1e-4, 1.0)
    within = 1 - beyond
    # 1 at the left end, 1 / dof at the right; the bounds matter only where the tail was cut
    slope = (beyond * within / density.clamp(min=1e-30)).clamp(max=4.0)
    logit, y = torch.log(within / beyond), y[_INTERPOLATED:]
    # one more node carries the straight line on the left to the smallest level
    return (
        torch.cat([logit[:, :1] - _LINE, logit], dim=1),
        torch.cat([y[:1] - _LINE, y]),
        nn.functional.pad(slope, (1, 0), value=1.0),
    )


def _interpolate(x_ng: Tensor, y_g: Tensor, slope_ng: Tensor, shift_n: Tensor, at_q: Tensor) -> Tensor:
    """Return ``shift + y(at_q)`` (n, q) in float32, y being cubic between nodes with the given slopes."""
    width = x_ng.diff(dim=1).clamp(min=1e-3)  # nodes fall together only where the tail was cut
    rise = y_g.diff() / width
    start, end = slope_ng[:, :-1], slope_ng[:, 1:]
    cubic = torch.stack(
        [
            x_ng[:, :-1],
            shift_n[:, None] + y_g[:-1],
            start,
            (3 * rise - 2 * start - end) / width,
            (start + end - 2 * rise) / width.square(),
        ],
        dim=-1,
    ).float()
    at, order = at_q.sort()
    # many queries, few nodes: look the nodes up among the queries and count those that lie below each
    position = torch.searchsorted(at, x_ng)
    below = torch.zeros(len(x_ng), len(at) + 1, dtype=torch.int64, device=at.device)
    below.scatter_add_(1, position, torch.ones_like(position))
    row = (below.cumsum(1)[:, :-1] - 1).clamp(0, width.shape[1] - 1)
    row += width.shape[1] * torch.arange(len(row), device=at.device)[:, None]
    x0, c0, c1, c2, c3 = nn.functional.embedding(row, cubic.flatten(0, 1)).unbind(-1)
    t = at.float() - x0
    return (c0 + t * (c1 + t * (c2 + t * c3)))[:, order.argsort()]
