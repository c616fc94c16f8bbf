"""FreTS: full complex matrices on every frequency, over channels and over time."""

import torch
from torch.nn.functional import relu, softshrink

from synthcity.nets.blocks.frets import _FrequencyLearner
from synthcity.nets.conformance import noise
from tests.nets.test_blocks import build


def test_a_learner_is_a_complex_layer_with_all_four_products():
    torch.manual_seed(0)
    learner = _FrequencyLearner(5, 1, 0.01)
    x = torch.randn(2, 12, 5)
    (real, imag), (bias_real, bias_imag) = learner.weight_lcio[0], learner.bias_lco[0] + 0.1
    with torch.no_grad():
        learner.bias_lco += 0.1
    z = torch.fft.rfft(x, dim=1, norm="ortho")
    re = relu(z.real @ real - z.imag @ imag + bias_real)
    im = relu(z.real @ imag + z.imag @ real + bias_imag)
    expected = torch.fft.irfft(torch.complex(softshrink(re, 0.01), softshrink(im, 0.01)), n=12, dim=1, norm="ortho")
    torch.testing.assert_close(learner(x, dim=1), expected, rtol=1e-5, atol=1e-5)


def test_gradient_reaches_every_entry_of_the_matrices():
    block = build("frets").train()
    block(noise(8, 48)).square().sum().backward()
    for learner in (block.channel, block.temporal):
        assert (learner.weight_lcio.grad.abs() > 0).all()


def test_zero_matrices_leave_the_identity():
    block, x = build("frets"), noise(2, 48)
    with torch.no_grad():
        for learner in (block.channel, block.temporal):
            learner.weight_lcio.zero_()
            learner.bias_lco.zero_()
    assert torch.equal(block(x), x)


def test_the_temporal_learner_carries_the_first_step_to_the_last():
    block, x = build("frets"), noise(1, 48)
    moved = x.clone()
    moved[:, 0] *= -1
    assert (block(x)[:, -1] - block(moved)[:, -1]).abs().max() > 1e-4


def test_the_channel_learner_and_it_alone_mixes_variates():
    for mixes in (True, False):
        block = build("frets", channel_mix=mixes)
        seen: list[torch.Tensor] = []
        block.out.register_forward_pre_hook(lambda _, inputs, seen=seen: seen.append(inputs[0]))
        embedded = block.embed(noise(1, 48)).detach().requires_grad_()
        block.embed.forward = lambda _, embedded=embedded: embedded
        block(noise(1, 48))
        seen[0].unflatten(2, (4, 16))[:, :, 0].square().sum().backward()
        reached = embedded.grad.unflatten(2, (4, 16)).abs().sum((0, 1, 3)) > 0
        assert reached.tolist() == [True, mixes, mixes, mixes]


def test_sparsity_silences_small_coefficients():
    loose, strict = build("frets", sparsity=0.0), build("frets", sparsity=0.1)
    x = 1e-2 * torch.randn(1, 48, 16, generator=torch.Generator().manual_seed(0))
    assert loose.temporal(x, dim=1).abs().max() > 0
    assert strict.temporal(x, dim=1).abs().max() == 0
