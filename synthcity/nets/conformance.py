"""The contract that every block and head keeps: one suite for those that are packaged and those that are written later.

A check takes a registered component and raises ``conformance.Broken`` with one sentence. ``BLOCK_CHECKS`` and
``HEAD_CHECKS`` hold them by name; all are seeded and run on a CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from synthcity.conformance import broken, require, suite
from synthcity.nets.authored.stateless import check_built
from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.heads.law import Law
from synthcity.nets.loss import ScoreLoss
from synthcity.nets.parameters import Parameter, parse
from synthcity.nets.registry import Component
from synthcity.sn50.competitions import get_competition

CONTEXT = BuildContext(d_model=16, seq_len=48, num_features=4, horizon=288, num_future=33)
HEAD_CONTEXT = BuildContext(d_model=16, seq_len=24, num_features=4, horizon=48, num_future=5)
LENGTHS = (7, 64, 288, 600)  # a prime, a power of two, a day of five minutes, more than a block is built for
WIDTHS = (8, 16, 32, 48, 64)


Check = Callable[[Component, Mapping[str, object]], None]


def check(entry: Component, options: Mapping[str, object] | None = None) -> dict[str, str]:
    """Run every check of the component's kind and return what is broken, by the check's name; empty if all is well."""
    return broken(BLOCK_CHECKS if entry.kind == "block" else HEAD_CHECKS, entry, options or {})


def build(entry: Component, options: Mapping[str, object], context: BuildContext) -> nn.Module:
    """Build a component from plain options, with seeded weights."""
    torch.manual_seed(0)
    module: nn.Module = entry.cls(context, parse(entry.config, options, entry.name))
    check_built(module)
    return module


def noise(batch: int, seq: int, width: int = CONTEXT.d_model, seed: int = 1) -> Tensor:
    """Standard normals (batch, seq, width)."""
    return torch.randn(batch, seq, width, generator=torch.Generator().manual_seed(seed))


def values_of(parameter: Parameter) -> tuple[object, ...]:
    """Return the values of an option worth building: all choices, or both ends of its range."""
    if parameter.kind == "bool":
        return (False, True)
    return parameter.choices if parameter.kind == "choice" else (parameter.low, parameter.high)


def _close(a: Tensor, b: Tensor, text: str) -> None:
    apart = float((a - b).detach().abs().max())
    require(torch.allclose(a, b, rtol=1e-4, atol=1e-5), f"{text}; they differ by up to {apart:g}")


def shape_at_any_length(entry: Component, options: Mapping[str, object]) -> None:
    """(batch, seq, d_model) -> the same at every length, the input untouched."""
    block = build(entry, options, CONTEXT).eval()
    for seq in LENGTHS:
        x = noise(2, seq)
        kept = x.clone()
        shape = tuple(block(x).shape)
        require(shape == x.shape, f"(2, {seq}, 16) became {shape}")
        require(torch.equal(x, kept), "it changed its input in place")


def default_options_fit_every_width(entry: Component, options: Mapping[str, object]) -> None:
    """The options build at every d_model."""
    for width in WIDTHS:
        block = build(entry, options, replace(CONTEXT, d_model=width))
        require(block(torch.zeros(1, 9, width)).isfinite().all(), f"not finite at d_model {width}")


def every_option_builds_at_every_width(entry: Component, options: Mapping[str, object]) -> None:
    """Each option at each end of its range gives finite values."""
    for d_model in (16, 48, 64):
        x = noise(2, 24, d_model)
        for parameter in entry.parameters:
            for value in values_of(parameter):
                changed = {**options, parameter.name: value}
                block = build(entry, changed, replace(CONTEXT, d_model=d_model, seq_len=24)).eval()
                require(torch.isfinite(block(x)).all(), f"not finite for {parameter.name} = {value!r}")


def gradient_reaches_every_parameter(entry: Component, options: Mapping[str, object]) -> None:
    """No parameter is dead."""
    block = build(entry, options, CONTEXT).train()
    block(noise(4, 48)).square().sum().backward()
    for key, parameter in block.named_parameters():
        require(parameter.grad is not None, f"{key} gets no gradient")
        # a key's bias shifts all scores of a query alike, so softmax gives it none
        if parameter.grad is not None and not key.endswith("qkv.bias"):
            require(parameter.grad.abs().sum() > 0, f"the gradient of {key} is zero")


def a_window_does_not_depend_on_its_batch(entry: Component, options: Mapping[str, object]) -> None:
    """Windows of a batch do not see each other."""
    block, x = build(entry, options, CONTEXT).eval(), noise(5, 48)
    _close(block(x)[2:3], block(x[2:3]), "a window comes out otherwise without its batch")


def same_seed_same_block_and_reload(entry: Component, options: Mapping[str, object]) -> None:
    """Built twice or reloaded, it is the same function."""
    x = noise(2, 48)
    first, second = (build(entry, options, CONTEXT).eval() for _ in range(2))
    require(torch.equal(first(x), second(x)), "two blocks of one seed differ")
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.add_(1.0)
    second.load_state_dict(first.state_dict())
    require(torch.equal(first(x), second(x)), "a reloaded block differs from the one that was saved")


def calls_leave_nothing_behind(entry: Component, options: Mapping[str, object]) -> None:
    """The same input gives the same output whatever was asked in between, and no call changes a weight or buffer."""
    block, first, other = build(entry, options, CONTEXT).eval(), noise(2, 48), noise(3, 30, seed=4)
    kept = {name: value.clone() for name, value in block.state_dict().items()}
    before = block(first)
    block(other)
    require(torch.equal(block(first), before), "an input comes out otherwise after another one")
    changed = [name for name, value in block.state_dict().items() if not torch.equal(value, kept[name])]
    require(not changed, f"a call changed {', '.join(changed)}")


def bf16(entry: Component, options: Mapping[str, object]) -> None:
    """It runs in half precision and answers in it."""
    out = build(entry, options, CONTEXT).eval().to(torch.bfloat16)(noise(2, 48).to(torch.bfloat16))
    require(out.dtype == torch.bfloat16, f"bfloat16 became {out.dtype}")
    require(torch.isfinite(out.float()).all(), "not finite in bfloat16")


def gradients_agree_with_finite_differences(entry: Component, options: Mapping[str, object]) -> None:
    """Backward is the derivative of forward."""
    context = BuildContext(d_model=8, seq_len=9, num_features=4, horizon=12, num_future=3)
    block = build(entry, options, context).double().eval()
    x = noise(2, 9, 8).double().requires_grad_()
    require(torch.autograd.gradcheck(block, (x,), fast_mode=True, atol=1e-4), "gradients are wrong")


def the_last_position_hears_of_the_recent_past(entry: Component, options: Mapping[str, object]) -> None:
    """Heads read the last position, so it must know of others."""
    block, x = build(entry, options, CONTEXT).eval(), noise(1, 48)
    moved = x.clone()
    moved[:, -3] *= -1  # a shift of all channels alike would vanish in the norm
    require((block(x)[:, -1] - block(moved)[:, -1]).abs().max() > 1e-6, "the last position hears nothing of the past")


def causal_blocks_never_look_ahead(entry: Component, options: Mapping[str, object]) -> None:
    """Where the registry says causal, no output depends on later steps."""
    if not entry.causal:
        return
    block = build(entry, options, CONTEXT).eval()
    for at in (30, 63):
        first = first_changed(block, at)
        require(first == at, f"registered as causal, but step {at} changes the output of step {first}")


def first_changed(block: nn.Module, at: int, seq: int = 64) -> int:
    """Return the first step of the output that step ``at`` of the input changes, ``seq`` for none."""
    x = noise(1, seq)
    moved = x.clone()
    moved[:, at] *= -1
    changed = ((block(x) - block(moved)).abs().amax(dim=(0, 2)) > 1e-6).nonzero()
    return int(changed[0]) if len(changed) else seq


BLOCK_CHECKS: dict[str, Check] = suite(
    shape_at_any_length,
    default_options_fit_every_width,
    every_option_builds_at_every_width,
    gradient_reaches_every_parameter,
    a_window_does_not_depend_on_its_batch,
    same_seed_same_block_and_reload,
    calls_leave_nothing_behind,
    bf16,
    gradients_agree_with_finite_differences,
    the_last_position_hears_of_the_recent_past,
    causal_blocks_never_look_ahead,
)


def generator(seed: int = 0) -> torch.Generator:
    """A seeded generator."""
    return torch.Generator().manual_seed(seed)


def build_head(entry: Component, options: Mapping[str, object], *, trained: bool = True) -> nn.Module:
    """Build a head; ``trained`` moves its weights away from where they start."""
    head = build(entry, options, HEAD_CONTEXT)
    if trained:
        with torch.no_grad():
            for parameter in head.parameters():
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator(1)))
    return head


def law_of(head: nn.Module, batch: int = 3) -> Law:
    """Return the head's law of ``batch`` seeded windows."""
    law: Law = head(noise(batch, 24, 16, seed=2), noise(batch, 48, 5, seed=3))
    return law


def paths_are_finite_seeded_and_shaped(entry: Component, options: Mapping[str, object]) -> None:
    """Paths (batch, paths, horizon) are a function of their noise."""
    head, latent, future = build_head(entry, options), noise(3, 24, 16, seed=2), noise(3, 48, 5, seed=3)
    kept = latent.clone(), future.clone()
    law: Law = head(latent, future)
    paths = law.sample(60, generator=generator(5))
    require(torch.equal(latent, kept[0]) and torch.equal(future, kept[1]), "it changed its input in place")
    require(tuple(paths.shape) == (3, 60, 48), f"60 paths of 3 windows have the shape {tuple(paths.shape)}")
    require(torch.isfinite(paths).all(), "a path is not finite")
    require(torch.equal(paths, law.sample(60, generator=generator(5))), "the same seed gives other paths")
    drawn = law.draw_noise(60, generator(6))
    require(torch.equal(law.sample(60, drawn), law.sample(60, drawn)), "the same noise gives other paths")


def every_option_gives_finite_paths(entry: Component, options: Mapping[str, object]) -> None:
    """Each option at each end of its range builds and draws."""
    for parameter in entry.parameters:
        for value in values_of(parameter):
            with torch.no_grad():
                paths = law_of(build_head(entry, {**options, parameter.name: value})).sample(24, generator=generator())
            require(torch.isfinite(paths).all(), f"a path is not finite for {parameter.name} = {value!r}")


def laws_leave_nothing_behind(entry: Component, options: Mapping[str, object]) -> None:
    """The same windows have the same law whatever was asked in between, and asking changes no weight or buffer."""
    head = build_head(entry, options).eval()
    kept = {name: value.clone() for name, value in head.state_dict().items()}
    with torch.no_grad():
        before = law_of(head).sample(20, generator=generator(5))
        other = head(noise(2, 24, 16, seed=8), noise(2, 48, 5, seed=9))
        other.sample(7, generator=generator(6))
        again = law_of(head)
        again.sample(12, generator=generator(7))
        require(torch.equal(again.sample(20, generator=generator(5)), before), "windows have another law after others")
    changed = [name for name, value in head.state_dict().items() if not torch.equal(value, kept[name])]
    require(not changed, f"asking changed {', '.join(changed)}")


def a_fresh_head_starts_at_the_anchor(entry: Component, options: Mapping[str, object]) -> None:
    """Before training, returns have about the volatility of the anchor."""
    law = law_of(build_head(entry, options, trained=False))
    spread = float(law.sample(4000, generator=generator()).detach().std())
    require(0.8 < spread < 1.35, f"a fresh head's returns have a spread of {spread:.3g}; it must be about 1")


def every_parameter_learns_from_the_score(entry: Component, options: Mapping[str, object]) -> None:
    """No parameter of a head is dead."""
    head = build_head(entry, options)
    paths, weight = law_of(head).sample_strata(24, generator=generator())
    spread = paths.abs().mean(dim=-1)
    if weight is not None:
        spread = spread * weight.repeat_interleave(24 // weight.shape[1], dim=1)
    spread.sum().backward()
    for key, parameter in head.named_parameters():
        require(parameter.grad is not None, f"{key} gets no gradient")
        # attention weights of the pool do not change if all scores move alike
        if parameter.grad is not None and key != "pool.query.bias":
            require(parameter.grad.abs().sum() > 0, f"the gradient of {key} is zero")


def nothing_scores_its_own_draws_better_than_the_law(entry: Component, options: Mapping[str, object]) -> None:
    """Its draws are those of one law: wider or narrower paths score worse on them."""
    law = law_of(build_head(entry, options))
    loss = ScoreLoss(get_competition("crypto-24h"))
    with torch.no_grad():
        realised = 1e-3 * law.sample(150, generator=generator(9)).flatten(0, 1)
        log_prices = nn.functional.pad(realised.cumsum(-1), (1, 0))
        paths = 1e-3 * law.sample(100, generator=generator(10)).repeat_interleave(150, dim=0)
        scores = {scale: float(loss.per_window(scale * paths, log_prices).mean()) for scale in (0.7, 1.0, 1.4)}
    require(scores[1.0] < min(scores[0.7], scores[1.4]), f"scaled paths score better than its own: {scores}")


def quantiles_are_those_of_the_draws(entry: Component, options: Mapping[str, object]) -> None:
    """A law that knows its quantiles knows those of its paths.

    Paths are independent of each other, steps of a path are not: the tolerance counts paths alone.
    """
    num_paths, levels = 60_000, torch.tensor([0.0005, 0.01, 0.1, 0.4, 0.5, 0.75, 0.95, 0.9995])
    law = law_of(build_head(entry, options))
    with torch.no_grad():
        quantiles = law.quantiles(levels)
        if quantiles is None:
            return
        shape = tuple(quantiles.shape)
        require(shape == (3, 48, len(levels)), f"quantiles have the shape {shape}")
        require((quantiles.diff(dim=-1) > 0).all(), "quantiles do not rise with their level")
        paths = law.sample(num_paths, generator=generator(7))
    for number, level in enumerate(levels.tolist()):
        below = (paths < quantiles[:, None, :, number]).float()
        allowed = 4.5 * math.sqrt(level * (1 - level) / (3 * num_paths))
        for share in (float(below.mean()), float(below[..., 0].mean()), float(below[..., -1].mean())):
            require(abs(share - level) <= allowed, f"{share:.5f} of the draws lie below the quantile of {level:g}")


def no_weights_and_no_input_make_it_diverge(entry: Component, options: Mapping[str, object]) -> None:
    """Paths and gradients stay finite under weights and inputs a hundred times too large."""
    for seed in (1, 2, 3):
        head, random = build_head(entry, options, trained=False), generator(seed)
        with torch.no_grad():
            for parameter in head.parameters():
                parameter.add_(20 * torch.randn(parameter.shape, generator=random))
        latent = (100 * noise(3, 24, 16, seed=2)).requires_grad_()
        law = head(latent, 100 * noise(3, 48, 5, seed=3))
        paths = law.sample(200, generator=generator(4))
        require(torch.isfinite(paths).all(), "large weights and inputs make a path infinite")
        paths.abs().mean().backward()
        gradients = {"its input": latent.grad, **{key: p.grad for key, p in head.named_parameters()}}
        for key, gradient in gradients.items():
            require(gradient is not None and torch.isfinite(gradient).all(), f"the gradient of {key} is not finite")
        quantiles = law.quantiles(torch.tensor([0.0005, 0.3, 0.9995]))
        require(quantiles is None or torch.isfinite(quantiles).all(), "a quantile is not finite")


def a_diverged_network_shows_in_the_paths(entry: Component, options: Mapping[str, object]) -> None:
    """Training reports a NaN loss as a failed trial, so no head may stumble over NaN, or hide it, before."""
    law = build_head(entry, options)(torch.full((3, 24, 16), math.nan), torch.zeros(3, 48, 5))
    require(torch.isnan(law.sample(24, generator=generator())).any(), "NaN in its input does not show in its paths")


HEAD_CHECKS: dict[str, Check] = suite(
    paths_are_finite_seeded_and_shaped,
    laws_leave_nothing_behind,
    every_option_gives_finite_paths,
    a_fresh_head_starts_at_the_anchor,
    every_parameter_learns_from_the_score,
    nothing_scores_its_own_draws_better_than_the_law,
    quantiles_are_those_of_the_draws,
    no_weights_and_no_input_make_it_diverge,
    a_diverged_network_shows_in_the_paths,
)
