"""The loss is the network's score: same terms, fair instead of 1/N^2, differentiable."""

import numpy as np
import pytest
import torch

from synthcity.nets.loss import ScoreLoss, _FairCRPS, _stratified_crps, argsort
from synthcity.sn50.competitions import get_competition
from synthcity.sn50.scoring import terms


def fair_score(prices: np.ndarray, realised: np.ndarray, name: str) -> float:
    """The sum over sn50's own terms, with pairs of different members only."""
    t = terms(prices, realised, name)
    n = prices.shape[0]
    error = np.abs(t.ensemble - t.observed[:, None]).mean(1)
    pairs = np.abs(t.ensemble[:, :, None] - t.ensemble[:, None, :]).sum((1, 2)) / (2 * n * (n - 1))
    return float(t.weights @ (error - pairs))


@pytest.mark.parametrize("name", ["crypto-24h", "crypto-1h", "com-equ-24h"])
@pytest.mark.parametrize("gaps", [False, True])
def test_equals_the_terms_of_sn50(name: str, gaps: bool):
    competition = get_competition(name)
    steps = competition.num_points - 1
    rng = np.random.default_rng(3)
    returns = rng.standard_t(4, (2, 20, steps)) * 1e-3
    real = rng.standard_t(4, (2, steps)) * 1e-3
    log_prices = np.cumsum(np.pad(real, ((0, 0), (1, 0))), axis=1)
    if gaps:
        log_prices[1, 41:50] = np.nan
    loss = ScoreLoss(competition).per_window(torch.tensor(returns), torch.tensor(log_prices))
    terms_b = ScoreLoss(competition).per_term(torch.tensor(returns), torch.tensor(log_prices))
    names = [competition.horizons[number].name for number in ScoreLoss(competition).horizons(steps)]
    assert names == terms(np.ones((2, steps + 1)), np.ones(steps + 1), name).labels.tolist()
    assert terms_b.shape == (2, len(names))
    for window in range(2):
        prices = np.exp(np.cumsum(np.pad(returns[window], ((0, 0), (1, 0))), axis=1))
        want = fair_score(prices, np.exp(log_prices[window]), name)
        assert float(loss[window]) == pytest.approx(want, rel=2e-5)


def test_gradient_is_that_of_the_formula():
    x = torch.randn(2, 3, 7, dtype=torch.float64, requires_grad=True)
    y = torch.randn(2, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda z: _FairCRPS.apply(z, y), (x,))


@pytest.mark.parametrize("threads", [1, 2])
def test_sorts_as_torch_does(threads: int):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 900, 37, generator=generator) * torch.logspace(-40, 30, 37)
    x[0, 0, :6] = torch.tensor([0.0, -torch.inf, 1e-45, -1e-45, torch.inf, -1.0])
    torch.set_num_threads(threads)
    for values in (x, x.transpose(1, 2), x.double()):
        assert torch.equal(values.gather(-1, argsort(values)), values.sort(-1).values)
    ties = torch.tensor([[1.0, 2.0, 1.0, -3.0, 2.0]])
    assert argsort(ties).tolist() == [[3, 0, 2, 1, 4]]


def test_a_missing_term_has_no_value_and_no_gradient():
    competition = get_competition("crypto-1h")
    paths = (1e-3 * torch.randn(1, 8, 60)).requires_grad_()
    loss = ScoreLoss(competition).per_window(paths, torch.full((1, 61), torch.nan))
    assert float(loss.detach()) == 0
    loss.sum().backward()
    assert float(paths.grad.abs().sum()) == 0


def test_stratified_form_is_unbiased():
    generator = torch.Generator().manual_seed(0)
    n, weight = 40_000, torch.tensor([[0.8, 0.2]])
    scale = torch.tensor([1.0, 3.0])
    observed = torch.full((1, n), 0.5)
    few = torch.randn(1, n, 4, generator=generator) * scale.repeat_interleave(2)
    got = _stratified_crps(few, observed, weight).mean()
    # E|X - y| and E|X - X'| of the mixture by brute force
    draws = torch.randn(2, 2, 400_000, generator=generator) * scale[:, None]
    error = (weight[0] * (draws[0] - 0.5).abs().mean(-1)).sum()
    first, second = draws[0].T, draws[1].T.roll(1, 0)
    pairs = (weight[0, :, None] * weight[0] * (first[:, :, None] - second[:, None, :]).abs().mean(0)).sum()
    assert float(got) == pytest.approx(float(error - pairs / 2), abs=0.01)


def test_the_truth_beats_wrong_volatility():
    competition = get_competition("crypto-24h")
    generator = torch.Generator().manual_seed(1)
    real = (1e-3 * torch.randn(64, 289, generator=generator)).cumsum(-1)
    draw = torch.randn(64, 24, 288, generator=generator)
    loss = ScoreLoss(competition)
    scores = {scale: float(loss.per_window(scale * 1e-3 * draw, real).mean()) for scale in (0.7, 1.0, 1.4)}
    assert scores[1.0] < min(scores[0.7], scores[1.4])


@pytest.mark.parametrize("name", ["crypto-24h", "crypto-1h", "com-equ-24h"])
def test_a_tilt_leans_towards_short_or_long_terms_and_leaves_the_size_of_the_loss(name: str):
    competition = get_competition(name)
    steps = competition.num_points - 1
    generator = torch.Generator().manual_seed(0)
    paths = 1e-3 * torch.randn(8, 64, steps, generator=generator)
    real = torch.nn.functional.pad(1e-3 * torch.randn(8, steps, generator=generator).cumsum(1), (1, 0))
    plain = ScoreLoss(competition).per_term(paths, real)
    assert torch.equal(plain, ScoreLoss(competition, tilt=0.0).per_term(paths, real))
    spans = torch.tensor([float(competition.horizons[n].seconds) for n in ScoreLoss(competition).horizons(steps)])
    means = []
    for tilt in (-0.5, 0.0, 0.5):
        terms_b = ScoreLoss(competition, tilt=tilt).per_term(paths, real)
        ratio = terms_b[0, 0] / plain[0, 0] * (spans / spans[0]) ** tilt
        torch.testing.assert_close(terms_b, plain * ratio)
        assert float(terms_b.sum()) == pytest.approx(float(plain.sum()), rel=0.15)
        means.append(float((terms_b * spans).sum() / terms_b.sum()))
    assert means == sorted(means)
