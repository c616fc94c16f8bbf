"""The contract that every registered block keeps, and the property that makes each block what it is."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from synthcity.nets import registry
from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.parameters import parse

CONTEXT = BuildContext(d_model=16, seq_len=48, num_features=4, horizon=288, num_future=33)
BLOCKS = sorted(registry.blocks())


def build(name: str, **options: object) -> nn.Module:
    torch.manual_seed(0)
    entry = registry.component("block", name)
    block: nn.Module = entry.cls(CONTEXT, parse(entry.config, options, name))
    return block.eval()


def noise(batch: int, seq: int, seed: int = 1) -> Tensor:
    return torch.randn(batch, seq, CONTEXT.d_model, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("seq", [7, 64, 288, 600])
def test_shape_at_any_length(name: str, seq: int):
    x = noise(2, seq)
    kept = x.clone()
    assert build(name)(x).shape == x.shape
    assert torch.equal(x, kept), "the block changed its input"


@pytest.mark.parametrize("name", BLOCKS)
def test_default_options_fit_every_width(name: str):
    entry = registry.component("block", name)
    for width in (8, 16, 32, 48, 64):
        block = entry.cls(replace(CONTEXT, d_model=width), entry.config())
        assert block(torch.zeros(1, 9, width)).isfinite().all()


@pytest.mark.parametrize("name", BLOCKS)
def test_gradient_reaches_every_parameter(name: str):
    block = build(name).train()
    block(noise(4, 48)).square().sum().backward()
    for key, parameter in block.named_parameters():
        assert parameter.grad is not None, key
        # a key's bias shifts all scores of a query alike, so softmax gives it none
        if not key.endswith("qkv.bias"):
            assert parameter.grad.abs().sum() > 0, key


@pytest.mark.parametrize("name", BLOCKS)
def test_a_window_does_not_depend_on_its_batch(name: str):
    block, x = build(name), noise(5, 48)
    torch.testing.assert_close(block(x)[2:3], block(x[2:3]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", BLOCKS)
def test_same_seed_same_block_and_reload(name: str):
    x = noise(2, 48)
    first, second = build(name), build(name)
    assert torch.equal(first(x), second(x))
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.add_(1.0)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(x), second(x))


@pytest.mark.parametrize("name", BLOCKS)
def test_bf16(name: str):
    block = build(name).to(torch.bfloat16)
    out = block(noise(2, 48).to(torch.bfloat16))
    assert out.dtype == torch.bfloat16
    assert torch.isfinite(out.float()).all()


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("d_model", [16, 48, 64])
def test_every_option_builds_at_every_width(name: str, d_model: int):
    context = replace(CONTEXT, d_model=d_model, seq_len=24)
    entry = registry.component("block", name)
    x = torch.randn(2, 24, d_model, generator=torch.Generator().manual_seed(1))
    for parameter in entry.parameters:
        values = {"bool": (False, True), "choice": parameter.choices}.get(
            parameter.kind, (parameter.low, parameter.high)
        )
        for value in values:
            block = entry.cls(context, parse(entry.config, {parameter.name: value}, name)).eval()
            assert torch.isfinite(block(x)).all(), (parameter.name, value)


@pytest.mark.parametrize("name", BLOCKS)
def test_gradients_agree_with_finite_differences(name: str):
    context = BuildContext(d_model=8, seq_len=9, num_features=4, horizon=12, num_future=3)
    torch.manual_seed(0)
    entry = registry.component("block", name)
    block = entry.cls(context, entry.config()).double().eval()
    x = torch.randn(2, 9, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(block, (x,), fast_mode=True, atol=1e-4)


@pytest.mark.parametrize("name", BLOCKS)
def test_the_last_position_hears_of_the_recent_past(name: str):
    block, x = build(name), noise(1, 48)
    moved = x.clone()
    moved[:, -3] *= -1  # a shift of all channels alike would vanish in the norm
    assert (block(x)[:, -1] - block(moved)[:, -1]).abs().max() > 1e-6


def first_changed(block: nn.Module, at: int, seq: int = 64) -> int:
    x = noise(1, seq)
    moved = x.clone()
    moved[:, at] *= -1
    changed = (block(x) - block(moved)).abs().amax(dim=(0, 2)) > 1e-6
    return int(changed.nonzero()[0])


CAUSAL: list[tuple[str, dict[str, object]]] = [(name, {}) for name in BLOCKS if registry.blocks()[name].causal]


@pytest.mark.parametrize(("name", "options"), [*CAUSAL, ("transformer", {"causal": True})])
@pytest.mark.parametrize("at", [30, 63])
def test_causal_blocks_never_look_ahead(name: str, options: dict[str, object], at: int):
    assert first_changed(build(name, **options), at) == at


def test_transformer_sees_order_only_through_positions():
    order = torch.randperm(48, generator=torch.Generator().manual_seed(3))
    x = noise(1, 48)
    blind = build("transformer", position="none")
    torch.testing.assert_close(blind(x)[:, order], blind(x[:, order]), rtol=1e-4, atol=1e-5)
    aware = build("transformer", position="rotary")
    assert (aware(x)[:, order] - aware(x[:, order])).abs().max() > 1e-4


def test_rotary_scores_depend_on_distance_alone():
    from synthcity.nets.blocks.attention import rotary_angles, rotate

    q, k = torch.randn(2, 1, 8, generator=torch.Generator().manual_seed(0)).unbind(0)
    cos, sin = rotary_angles(40, 8, q)
    rotated_q, rotated_k = rotate(q.expand(40, 8), cos, sin), rotate(k.expand(40, 8), cos, sin)
    scores = rotated_q @ rotated_k.T
    torch.testing.assert_close(scores[5, 2], scores[35, 32], rtol=1e-4, atol=1e-4)


def test_lstm_carries_the_first_step_to_the_last():
    block, x = build("lstm"), noise(1, 64)
    moved = x.clone()
    moved[:, 0] *= -3
    assert (block(x)[:, -1] - block(moved)[:, -1]).abs().max() > 0
    forget = slice(CONTEXT.d_model, 2 * CONTEXT.d_model)
    assert (block.lstm.bias_ih_l0[forget] + block.lstm.bias_hh_l0[forget] == 1.0).all()


@pytest.mark.parametrize(("levels", "kernel"), [(1, 2), (2, 3), (3, 3)])
def test_tcn_receptive_field(levels: int, kernel: int):
    block = build("tcn", levels=levels, kernel=kernel)
    with torch.no_grad():  # positive weights let no path cancel or die in a ReLU
        for parameter in block.levels.parameters():
            parameter.abs_().add_(0.05)
    field = 1 + 2 * (kernel - 1) * (2**levels - 1)
    x = noise(1, 64).abs().requires_grad_()
    block.mix(x)[0, -1].sum().backward()
    reached = x.grad.abs().sum(-1)[0] > 0
    assert int(reached.sum()) == field
    assert reached[-field:].all()
