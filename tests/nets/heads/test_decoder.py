"""From a latent history and the known future to raw parameters."""

import torch

from synthcity.nets.conformance import HEAD_CONTEXT, generator
from synthcity.nets.heads.decoder import Pool, StepDecoder, zero_linear


def decoder() -> StepDecoder:
    torch.manual_seed(0)
    return StepDecoder(HEAD_CONTEXT, 2, 8)


def test_every_law_starts_at_its_neutral_parameters():
    summary = torch.randn(3, 16, generator=generator(1))
    future = torch.randn(3, 48, 5, generator=generator(2))
    assert decoder()(summary, future).shape == (3, 48, 2)
    assert (decoder()(summary, future) == 0).all()
    assert (zero_linear(16, 4)(summary) == 0).all()


def test_a_trained_step_hears_its_own_future_and_the_summary():
    built = decoder()
    torch.nn.init.normal_(built.out.weight)
    summary = torch.randn(1, 16, generator=generator(1))
    future = torch.randn(1, 48, 5, generator=generator(2))
    moved = future.clone()
    moved[:, 7] += 1.0
    changed = (built(summary, future) - built(summary, moved)).abs().amax((0, 2)) > 1e-6
    assert changed.nonzero().flatten().tolist() == [7]
    assert ((built(summary, future) - built(summary + 1.0, future)).abs().amax((0, 2)) > 1e-6).all()


def test_summary_and_future_are_multiplied_too():
    """What a change of the future does depends on the history, which no sum of the two could give."""
    built = decoder()
    torch.nn.init.normal_(built.out.weight)
    with torch.no_grad():
        for layer in (built.from_summary, built.from_future, built.mix):
            layer.weight.zero_()
    future = torch.randn(1, 48, 5, generator=generator(2))
    calm, wild = (built(torch.full((1, 16), v), future) - built(torch.full((1, 16), v), -future) for v in (0.1, 2.0))
    assert wild.abs().mean() > 2 * calm.abs().mean()


def test_a_pool_hears_every_position_and_the_last_one_most():
    torch.manual_seed(0)
    pool = Pool(16)
    x = torch.randn(1, 30, 16, generator=generator(3)).requires_grad_()
    pool(x).square().sum().backward()
    heard = x.grad.abs().sum((0, 2))
    assert (heard > 0).all()
    assert int(heard.argmax()) == 29


def test_without_attention_to_tell_them_apart_the_rest_of_a_pool_is_a_mean():
    torch.manual_seed(0)
    pool, x = Pool(16), torch.randn(2, 30, 16, generator=generator(4))
    with torch.no_grad():
        pool.query.weight.zero_()
        normed = pool.norm(x)
        torch.testing.assert_close(pool(x), pool.join(torch.cat([normed[:, -1], normed.mean(1)], dim=-1)))
