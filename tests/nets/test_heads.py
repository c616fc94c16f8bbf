"""What all laws mean for paths; the contract of all heads is ``nets/conformance.py``, each law is in ``heads/``."""

import math

import pytest
import torch
from torch import Tensor

from synthcity.nets import registry
from synthcity.nets.conformance import HEAD_CHECKS, build_head, generator, law_of

VARIANTS = [
    ("gbm", {"innovation": "normal", "level": False}),
    ("sde", {"innovation": "normal"}),
    ("mixture", {"num_regimes": 2}),
    ("flow", {"num_bins": 4}),
]
HEADS = [*((name, {}) for name in registry.heads()), *VARIANTS]


def make(name: str, options: dict[str, object], train_away_from_zero: bool = True) -> torch.nn.Module:
    return build_head(registry.component("head", name), options, trained=train_away_from_zero)


@pytest.mark.parametrize("check", HEAD_CHECKS)
@pytest.mark.parametrize(("name", "options"), HEADS)
def test_every_head_keeps_the_contract(name: str, options: dict[str, object], check: str):
    HEAD_CHECKS[check](registry.component("head", name), options)


@pytest.mark.parametrize(("name", "options"), HEADS)
def test_the_known_future_reaches_its_own_step_alone(name: str, options: dict[str, object]):
    head = make(name, options)
    latent = torch.randn(1, 24, 16, generator=generator(2))
    future = torch.randn(1, 48, 5, generator=generator(3))
    moved = future.clone()
    moved[:, 10] += 2.0
    a, b = (head(latent, f).params()["log_volatility"] for f in (future, moved))
    assert ((a - b).abs() > 1e-6).nonzero()[:, 1].tolist() == [10]


@pytest.mark.parametrize(("name", "options"), HEADS)
def test_every_packaged_law_knows_its_quantiles(name: str, options: dict[str, object]):
    """The contract lets a law not know them; ours do, and they hold the share of the draws that they say."""
    law, levels = law_of(make(name, options)), torch.tensor([0.1, 0.5, 0.9])
    with torch.no_grad():
        below = (law.sample(4000, generator=generator(7))[..., None] < law.quantiles(levels)[:, None]).float()
    torch.testing.assert_close(below.mean(dim=(0, 1, 2)), levels, atol=0.02, rtol=0)


@pytest.mark.parametrize(("name", "options"), HEADS)
def test_volatility_clusters_on_a_path(name: str, options: dict[str, object]):
    paths = law_of(make(name, options)).sample(4000, generator=generator(8)).detach()
    sizes = (paths / paths.abs().mean(1, keepdim=True)).abs()
    first, second = sizes[..., :24].mean(-1).flatten(), sizes[..., 24:].mean(-1).flatten()
    correlation = float(torch.corrcoef(torch.stack([first, second]))[0, 1])
    if options.get("level", True):
        assert correlation > 0.1
    else:
        assert abs(correlation) < 0.05


@pytest.mark.parametrize(("name", "options"), HEADS)
def test_log_prob_is_highest_at_the_scale_of_the_draws(name: str, options: dict[str, object]):
    law = law_of(make(name, options))
    with torch.no_grad():
        draws = law.sample(80, generator=generator(9))
        found = {
            scale: [law.log_prob(scale * returns_bh) for returns_bh in draws.unbind(1)] for scale in (0.8, 1.0, 1.25)
        }
    if found[1.0][0] is None:
        pytest.skip("no closed likelihood")
    mean = {scale: float(torch.stack(values).mean()) + 48 * math.log(scale) for scale, values in found.items()}
    assert mean[1.0] > max(mean[0.8], mean[1.25])


def normal_scores(values: Tensor) -> Tensor:
    rank = values.flatten().argsort().argsort()
    return torch.special.ndtri((rank.double() + 0.5) / values.numel())


def correlate(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])


@pytest.mark.parametrize(("name", "options"), HEADS)
def test_windows_can_be_tied_and_keep_their_marginals(name: str, options: dict[str, object]):
    num_paths = 20_000
    law = law_of(make(name, options, train_away_from_zero=False))
    correlation = torch.tensor([[1.0, 0.8, 0.0], [0.8, 1.0, 0.0], [0.0, 0.0, 1.0]])
    with torch.no_grad():
        noise = law.draw_noise(num_paths, generator(3), torch.linalg.cholesky(correlation))
        paths = law.sample(num_paths, noise)
        first, second, third = (normal_scores(paths[b, :, 30]) for b in range(3))
        assert 0.77 < correlate(first, second) < 0.81
        assert abs(correlate(first, third)) < 0.03
        # steps of different times stay independent, and volatilities move together
        assert abs(correlate(torch.sign(paths[0, :, 30]), torch.sign(paths[1, :, 31]))) < 0.03
        assert correlate(paths[0].abs().mean(-1).log(), paths[1].abs().mean(-1).log()) > 0.35
        for level in (0.002, 0.1, 0.9, 0.998):
            found = (paths < law.quantiles(torch.tensor([level]))[..., 0][:, None]).float().mean((1, 2))
            assert float((found - level).abs().max()) < 2.5 * math.sqrt(level * (1 - level) / num_paths)


def flat(batch: int, horizon: int, value: float = 0.0) -> Tensor:
    return torch.full((batch, horizon), value)


@pytest.mark.parametrize("name", ["copula", "quantile"])
def test_the_rarest_sizes_stay_finite(name: str):
    law = law_of(make(name, {}))
    noise = dict(law.draw_noise(4, generator(7)))
    noise["own"] = noise["own"].clone()
    noise["own"][:, 0] = 6.5  # once in ten billion draws, or a few hundred trainings
    noise["own"][:, 1] = -6.5
    paths = law.sample(4, noise)
    assert torch.isfinite(paths).all()
    assert paths.abs().max() < 1e6
    paths.square().mean().backward()
