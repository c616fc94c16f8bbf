"""FEDformer: energy in the chosen modes alone, each at its own index; modes that survive a reload; weighed trends."""

import math

import pytest
import torch

from synthcity.nets.blocks.decomposition import split_trend
from synthcity.nets.blocks.fedformer import _KERNELS
from synthcity.nets.conformance import CONTEXT, noise
from tests.nets.test_blocks import build

SEQ = CONTEXT.seq_len
FREQUENCIES = SEQ // 2 + 1


def energy(x: torch.Tensor) -> torch.Tensor:
    return torch.fft.rfft(x, dim=1).abs().square().sum((0, 2))


@pytest.mark.parametrize("select", ["random", "low"])
def test_only_the_chosen_modes_carry_energy(select: str):
    block = build("fedformer", select=select, modes=8)
    chosen = torch.zeros(FREQUENCIES, dtype=torch.bool)
    chosen[block.modes] = True
    assert chosen.sum() == 8
    spectrum = energy(block.mix_modes(noise(3, SEQ)))
    assert spectrum[chosen].min() > 1.0
    assert spectrum[~chosen].max() < 1e-6
    assert chosen[:8].all() == (select == "low")


def test_a_mode_stays_at_its_own_index():
    block = build("fedformer", modes=6)
    for frequency in range(1, FREQUENCIES - 1):
        wave = torch.cos(2 * math.pi * frequency * torch.arange(SEQ) / SEQ)[None, :, None] * noise(1, 1)
        spectrum = energy(block.mix_modes(wave))
        if frequency in block.modes:
            assert spectrum.argmax() == frequency
        else:
            assert spectrum.max() < 1e-6


def test_a_matrix_mixes_the_channels_of_a_head_and_no_others():
    block = build("fedformer", n_heads=4)
    x = noise(1, SEQ).requires_grad_()
    block.mix_modes(x)[..., 0].square().sum().backward()
    assert (x.grad.abs().sum((0, 1)) > 0).tolist() == [True] * 4 + [False] * 12


def test_modes_come_from_the_seed_and_survive_a_reload():
    first, again, other = build("fedformer", seed=1), build("fedformer", seed=1), build("fedformer", seed=2)
    assert torch.equal(first.modes, again.modes)
    assert not torch.equal(first.modes, other.modes)
    other.load_state_dict(first.state_dict())
    assert torch.equal(first.modes, other.modes)
    assert torch.equal(first(noise(2, SEQ)), other(noise(2, SEQ)))


@pytest.mark.parametrize("expert", range(len(_KERNELS)))
def test_the_trend_is_the_moving_average_that_the_experts_choose(expert: int):
    block, x = build("fedformer"), noise(2, SEQ)
    with torch.no_grad():
        block.experts[0].weight.zero_()
        block.experts[0].bias.copy_(100.0 * torch.nn.functional.one_hot(torch.tensor(expert), len(_KERNELS)))
    season, trend = block.split(x, 0)
    torch.testing.assert_close(trend, split_trend(x, _KERNELS[expert])[1])
    torch.testing.assert_close(season + trend, x, rtol=0, atol=1e-6)


def test_experts_are_weighed_anew_at_every_step():
    block, x = build("fedformer"), noise(1, SEQ)
    averages = torch.stack([split_trend(x, kernel)[1] for kernel in _KERNELS], dim=-1)
    weights = block.experts[0](x).softmax(-1)
    assert weights.std(1).min() > 1e-3
    torch.testing.assert_close(block.split(x, 0)[1], (averages * weights[:, :, None]).sum(-1))


@pytest.mark.parametrize("seq", [24, SEQ, 96])
def test_the_far_past_reaches_the_last_position_at_any_length(seq: int):
    block, x = build("fedformer"), noise(1, seq)
    moved = x.clone()
    moved[:, seq // 4] *= -1
    assert (block.mix(x)[:, -1] - block.mix(moved)[:, -1]).abs().max() > 1e-4
