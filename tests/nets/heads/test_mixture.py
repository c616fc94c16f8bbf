"""A mixture of volatility regimes, one drawn for each path."""

import pytest
import torch

from synthcity.nets.conformance import generator, law_of
from synthcity.nets.heads.mixture import MixtureLaw
from tests.nets.test_heads import flat, make


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


@pytest.mark.parametrize("num_regimes", [2, 4])
def test_regimes_are_ordered_centred_and_none_dies(num_regimes: int):
    head = make("mixture", {"num_regimes": num_regimes})
    with torch.no_grad():
        head.regimes.weight.mul_(0.0)
        head.regimes.bias.zero_()
        head.regimes.bias[0] = 100.0  # the first regime would have all the weight
    law = law_of(head)
    weight, offset = (law.params()[name].detach() for name in ("weight", "offset"))
    torch.testing.assert_close(weight.sum(-1), torch.ones(len(weight)))
    assert float(weight.min()) == pytest.approx(0.06 / num_regimes, abs=1e-5)
    assert (offset.diff(dim=-1) > 0).all()
    torch.testing.assert_close(offset.mean(-1), torch.zeros(len(offset)), atol=1e-6, rtol=0)


def test_a_path_keeps_its_regime():
    law = MixtureLaw(flat(1, 6), flat(1, 6, 30.0), torch.tensor([[0.5, 0.5]]), torch.tensor([[-9.0, 9.0]]))
    sizes = law.sample(400, generator=generator())[0].abs().log()
    stormy = sizes.mean(-1) > 0
    assert 150 < int(stormy.sum()) < 250
    assert (sizes[stormy].min() > sizes[~stormy].max()).all()


def test_log_prob_of_one_step_is_that_of_the_mixed_density():
    weight, offset = torch.tensor([[0.7, 0.3]]), torch.tensor([[-0.4, 0.6]])
    law = MixtureLaw(flat(1, 1), flat(1, 1, 5.0), weight, offset)
    grid = torch.linspace(-60, 60, 60_001)
    density = law.log_prob(grid[:, None]).exp()
    assert float(torch.trapezoid(density, grid)) == pytest.approx(1.0, abs=2e-3)
    assert float(torch.trapezoid(grid.square() * density, grid)) == pytest.approx(
        float((weight * (2 * offset).exp()).sum()), rel=0.03
    )
