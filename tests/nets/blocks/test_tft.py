"""TFT: variable selection, gates that close, attention heads with one value."""

import torch
from torch import nn

from synthcity.nets.blocks.tft import GatedResidual, GatedUnit
from synthcity.nets.conformance import noise
from tests.nets.test_blocks import build


def close_gates(module: nn.Module) -> None:
    with torch.no_grad():
        for gate in (part for part in module.modules() if isinstance(part, GatedUnit)):
            gate.linear.bias[..., gate.linear.bias.shape[-1] // 2 :] = -100.0


def shift_weights(module: nn.Module) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3)


def test_selection_weights_are_exposed_and_sum_to_one():
    weights = build("tft", groups=4).selection_weights(noise(2, 48))
    assert weights.shape == (2, 48, 4)
    assert (weights > 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 48))
    assert weights.std(dim=1).min() > 1e-3, "each step selects for itself"


def test_a_group_without_weight_is_not_heard():
    block, x = build("tft", groups=4), noise(1, 48)
    context = x.mean(1, keepdim=True)
    with torch.no_grad():
        block.select.to_groups.bias[2] = 100.0
    moved = x.clone()
    moved[..., :8] *= -1
    torch.testing.assert_close(block.select(x, context), block.select(moved, context))
    moved = x.clone()
    moved[..., 8:12] *= -1
    assert (block.select(x, context) - block.select(moved, context)).abs().max() > 1e-2


def test_each_group_has_a_network_of_its_own():
    block, x = build("tft", groups=4), noise(1, 48)
    same = x[..., :4].repeat(1, 1, 4).flatten(0, 1).unflatten(1, (4, 4)).transpose(0, 1)
    values = block.select.networks(same)
    assert (values[0] - values[1]).abs().max() > 1e-2


def test_heads_share_one_value_projection():
    attention, x = build("tft", n_heads=4).attention, noise(2, 48)
    assert attention.value.out_features == 16 // 4
    q, k = (layer(x).view(2, 48, 4, 4) for layer in (attention.query, attention.key))
    heads = []
    for head in range(4):
        scores = torch.einsum("bsk,btk->bst", q[:, :, head], k[:, :, head]) / 2.0
        heads.append(scores.softmax(-1) @ attention.value(x))
    torch.testing.assert_close(attention(x), attention.out(sum(heads) / 4), rtol=1e-4, atol=1e-5)
    assert (heads[0] - heads[1]).abs().max() > 1e-3, "each head looks elsewhere"


def test_attention_weights_are_exposed():
    weights = build("tft").attention_weights(noise(2, 48))
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 48))
    assert weights.shape == (2, 48, 48)


def test_with_gates_closed_the_block_is_the_identity():
    block, x = build("tft"), noise(2, 48)
    assert (block(x) - x).abs().max() > 1e-2
    close_gates(block)
    torch.testing.assert_close(block(x), x)


def test_with_inner_gates_closed_lstm_and_attention_are_skipped():
    x = noise(2, 48)
    for part in ("lstm", "attention"):
        block = build("tft")
        before = block.mix(x)
        shift_weights(getattr(block, part))
        assert (block.mix(x) - before).abs().max() > 1e-3, part
        close_gates(getattr(block, f"{part}_gate"))
        before = block.mix(x)
        shift_weights(getattr(block, part))
        torch.testing.assert_close(block.mix(x), before)


def test_a_gated_residual_network_can_skip_itself_and_hears_its_context():
    torch.manual_seed(0)
    network, x, context = GatedResidual(16, 16, 0.0, context_width=16), noise(2, 48), noise(2, 1, seed=2)
    assert (network(x, context) - network(x, -context)).abs().max() > 1e-3
    close_gates(network)
    torch.testing.assert_close(network(x, context), network.add.norm(x))


def test_the_lstm_tells_order():
    block, x = build("tft"), noise(1, 48)
    order = torch.randperm(48, generator=torch.Generator().manual_seed(3))
    assert (block(x)[:, order] - block(x[:, order])).abs().max() > 1e-3
