"""What each law means for paths; the contract of all heads is ``nets/conformance.py``."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from synthcity.nets import conformance, registry
from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.conformance import HEAD_CHECKS, build_head, generator, law_of
from synthcity.nets.heads.gbm import GBMLaw
from synthcity.nets.heads.law import Law, student, student_log_density, student_noise, uniform, upper_tail
from synthcity.nets.heads.mixture import MixtureLaw
from synthcity.nets.heads.sde import SDELaw

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


@pytest.mark.parametrize("damage", [{"scale": 1.3}, {"shift": 0.3}, {"dead": True}, {"blind": True}], ids=str)
@pytest.mark.parametrize("name", registry.heads())
def test_a_broken_copy_of_a_head_is_found(name: str, damage: dict[str, float]):
    packaged = registry.component("head", name)

    class Copy(packaged.cls):  # type: ignore[misc, name-defined]
        def __init__(self, context: BuildContext, config: object) -> None:
            super().__init__(context, config)
            if "dead" in damage:
                self.dead = torch.nn.Linear(2, 2)

        def forward(self, latent_bsd: Tensor, future_bhf: Tensor) -> Law:
            law = super().forward(torch.nan_to_num(latent_bsd) if "blind" in damage else latent_bsd, future_bhf)
            sample, scale, shift = law.sample, damage.get("scale", 1.0), damage.get("shift", 0.0)
            law.sample = lambda *arguments, **options: scale * sample(*arguments, **options) + shift
            return law

    broken = conformance.check(replace(packaged, cls=Copy))
    expected = {"dead": "every_parameter_learns_from_the_score", "blind": "a_diverged_network_shows_in_the_paths"}
    assert expected.get(next(iter(damage)), "quantiles_are_those_of_the_draws") in broken


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


@pytest.mark.parametrize("dof", [3.0, 5.0, 30.0])
def test_student_draws_have_unit_variance_and_the_right_tails(dof: float):
    noise = student_noise((400_000,), torch.zeros(1), generator(4))
    x = student(noise["exponential"], noise["cosine"], torch.tensor(dof))
    grid = torch.linspace(-60, 60, 200_001, dtype=torch.float64)
    density = student_log_density(grid, torch.tensor(dof, dtype=torch.float64)).exp()
    cdf = torch.cumulative_trapezoid(density, grid)
    assert float(cdf[-1]) == pytest.approx(1.0, abs=2e-4)
    for level in (0.01, 0.25, 0.9, 0.99):
        at = float(grid[1:][torch.searchsorted(cdf, level)])
        assert float((x <= at).float().mean()) == pytest.approx(level, abs=2.5e-3)
    if dof > 4:
        assert float(x.var()) == pytest.approx(1.0, rel=0.03)


def test_tails_of_scores_are_accurate_far_out():
    score = torch.tensor([-9.0, 0.0, 2.0, 5.3, 5.6, 5.9, 20.0])
    want = torch.special.erfc(score.double() / math.sqrt(2)) / 2
    torch.testing.assert_close(upper_tail(score).double(), want.clamp(min=1e-9), rtol=1e-5, atol=0)


def test_tied_uniforms_stay_uniform():
    factor = torch.linalg.cholesky(torch.tensor([[1.0, 0.9], [0.9, 1.0]]))
    u = uniform((2, 100_000), torch.zeros(1), generator(), factor)
    assert correlate(u[0], u[1]) == pytest.approx(6 / math.pi * math.asin(0.45), abs=0.01)
    levels = torch.linspace(0.01, 0.99, 99)
    torch.testing.assert_close(torch.quantile(u, levels, dim=1), levels[:, None].expand(-1, 2), atol=0.007, rtol=0)


def flat(batch: int, horizon: int, value: float = 0.0) -> Tensor:
    return torch.full((batch, horizon), value)


def test_gbm_volatility_adds_up_over_the_horizon():
    law = GBMLaw(flat(1, 288, math.log(0.7)), None, None)
    total = law.sample(20_000, generator=generator()).sum(-1)
    assert float(total.std()) == pytest.approx(0.7 * math.sqrt(288), rel=0.02)


@pytest.mark.parametrize("spread", [None, torch.tensor([0.4])])
def test_gbm_log_prob_integrates_to_one(spread: Tensor | None):
    law = GBMLaw(flat(1, 1, -0.3), flat(1, 1, 5.0), spread)
    grid = torch.linspace(-80, 80, 160_001)
    density = torch.cat([law.log_prob(x[:, None]).exp() for x in grid.split(16_000)])
    assert float(torch.trapezoid(density, grid)) == pytest.approx(1.0, abs=2e-3)


def test_the_level_of_a_path_clusters_its_volatility():
    def clustering(spread: Tensor | None) -> float:
        paths = GBMLaw(flat(1, 48), None, spread).sample(3000, generator=generator())[0].abs()
        first, second = paths[:, :24].mean(1), paths[:, 24:].mean(1)
        return float(torch.corrcoef(torch.stack([first, second]))[0, 1])

    assert clustering(torch.tensor([0.5])) > 0.7
    assert abs(clustering(None)) < 0.06


def sde(vol_of_vol: float, decay: float = 0.05, leverage: float = 0.0, start: float = 0.0) -> SDELaw:
    return SDELaw(
        log_volatility_bh=flat(1, 288),
        dof_bh=None,
        decay=torch.tensor(decay),
        vol_of_vol_b=torch.tensor([vol_of_vol]),
        start_spread_b=torch.tensor([start]),
        leverage_b=torch.tensor([leverage]),
    )


def test_sde_without_volatility_of_volatility_is_gbm():
    noise = sde(0.0).draw_noise(50, generator())
    torch.testing.assert_close(sde(0.0).sample(50, noise), GBMLaw(flat(1, 288), None, None).sample(50, noise))


def test_sde_deviations_are_the_recursion_they_claim_to_be():
    law = sde(0.5, decay=0.2, start=0.3)
    noise = law.draw_noise(4, generator())
    phi, state = math.exp(-0.2), 0.3 * noise["start"]
    scale = 0.5 * math.sqrt(1 - phi**2)
    for t in range(288):
        state = phi * state + scale * noise["volatility"][..., t]
        torch.testing.assert_close(law._deviation(noise)[..., t], state, rtol=1e-4, atol=1e-5)


def test_sde_clusters_at_short_lags_and_forgets_at_long_ones():
    absolute = sde(0.6).sample(4000, generator=generator())[0].abs()

    def correlation(lag: int) -> float:
        a, b = absolute[:, 40].flatten(), absolute[:, 40 + lag].flatten()
        return float(torch.corrcoef(torch.stack([a, b]))[0, 1])

    assert correlation(1) > 0.15
    assert abs(correlation(200)) < 0.06


def test_sde_leverage_raises_volatility_after_a_fall_and_changes_no_marginal():
    law = sde(0.6, leverage=-0.8)
    paths = law.sample(20_000, generator=generator())[0]
    shock, after = paths[:, 50], paths[:, 51].abs()
    assert float(torch.corrcoef(torch.stack([shock, after]))[0, 1]) < -0.1
    assert torch.equal(law.quantiles(torch.tensor([0.01, 0.9])), sde(0.6).quantiles(torch.tensor([0.01, 0.9])))
    for step in (0, 1, 150, -1):
        expected = math.sqrt(math.exp(2 * 0.6**2 * (1 - math.exp(-2 * 0.05 * (step % 288 + 1)))))
        assert float(paths[:, step].std()) == pytest.approx(expected, rel=0.05)


def test_sde_leverage_drives_student_steps_by_the_normal_behind_them():
    law = SDELaw(flat(1, 96), flat(1, 96, 4.0), torch.tensor(0.1), *(torch.tensor([v]) for v in (0.5, 0.2, -0.7)))
    noise = law.draw_noise(4000, generator())
    shocks = law._shocks(noise)
    assert float(shocks.mean()) == pytest.approx(0.0, abs=0.01)
    assert float(shocks.std()) == pytest.approx(1.0, abs=0.01)
    cosine = noise["cosine"][..., :-1]
    assert float(torch.corrcoef(torch.stack([shocks[..., 1:].flatten(), cosine.flatten()]))[0, 1]) < -0.5


def test_mixture_moments_match_its_weights_and_strata_agree_with_draws():
    weight, offset = torch.tensor([[0.7, 0.3]]), torch.tensor([[-0.4, 0.6]])
    law = MixtureLaw(flat(1, 4), flat(1, 4, 30.0), weight, offset)
    expected = float((weight * (2 * offset).exp()).sum())
    assert float(law.sample(60_000, generator=generator()).var()) == pytest.approx(expected, rel=0.05)
    paths, strata = law.sample_strata(60_000, generator=generator())
    weighted = strata.repeat_interleave(30_000, dim=1)[..., None] * paths.square() / 30_000
    assert float(weighted.sum(1).mean()) == pytest.approx(expected, rel=0.05)


def test_mixture_weights_move_towards_the_regime_that_fits():
    from synthcity.nets.loss import _stratified_crps

    logits = torch.zeros(1, 2, requires_grad=True)
    law = MixtureLaw(flat(1, 50), flat(1, 50, 30.0), torch.softmax(logits, -1), torch.tensor([[-1.0, 1.0]]))
    paths, weight = law.sample_strata(200, generator=generator())
    calm = 0.3 * torch.randn(1, 50, generator=generator(9))
    _stratified_crps(paths.transpose(1, 2), calm, weight).mean().backward()
    assert logits.grad[0, 0] < 0 < logits.grad[0, 1]


def test_strata_need_a_fitting_number_of_paths():
    law = MixtureLaw(flat(1, 4), flat(1, 4, 5.0), torch.full((1, 3), 1 / 3), torch.zeros(1, 3))
    with pytest.raises(ValueError, match="10 is no multiple of the 3 regimes"):
        law.sample_strata(10)


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
