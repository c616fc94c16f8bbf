"""Windows as tensors, and the network around blocks and head."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from synthcity.market.foretold import Foretold
from synthcity.market.windows import KNOWN_NAMES, FeatureTable, WindowSpec
from synthcity.nets.config import NetConfig
from synthcity.nets.network import Batch, Network, make_batch, ordinary_batch
from tests.forecast.conftest import keep
from tests.nets.conftest import seasonal_bars

SPEC = WindowSpec.of(300, 288)
STEPS = 72


@pytest.fixture(scope="module")
def tables() -> list[FeatureTable]:
    return [FeatureTable.build(seasonal_bars(12, seed, 300), SPEC) for seed in (0, 1)]


def network(**changes: object) -> Network:
    torch.manual_seed(0)
    config = {"d_model": 16, "history": 24, "patch": 3, "blocks": [{"name": "lstm"}], **changes}
    return Network(NetConfig.from_dict(config), SPEC, 2).eval()


def batch(size: int = 2) -> Batch:
    return ordinary_batch(size, STEPS, SPEC, torch.Generator().manual_seed(1))


def test_windows_are_sorted_by_asset_and_begin_where_they_should(tables: list[FeatureTable]) -> None:
    found = make_batch(tables, np.array([1, 0, 1]), np.array([2100, 2200, 2300]), STEPS, SPEC)
    assert found.asset.tolist() == [0, 1, 1]
    assert found.sequence.shape == (3, STEPS, 4)
    assert found.future.shape == (3, 288, len(SPEC.future_names) + 4)
    assert found.realised.shape == (3, 289)
    for row, (asset, at) in enumerate(((0, 2200), (1, 2100), (1, 2300))):
        table = tables[asset]
        assert float(found.anchor[row]) == table.anchor[at]
        np.testing.assert_array_equal(found.context[row].numpy(), table.context[at])
        wanted = np.log(table.price[at : at + 289] / table.price[at])
        np.testing.assert_allclose(found.realised[row].numpy(), wanted, atol=1e-6)
        returns = np.arcsinh(table.returns[at - STEPS + 1 : at + 1] / table.anchor[at])
        np.testing.assert_allclose(found.sequence[row, :, 0].numpy(), returns, rtol=1e-4, atol=1e-6)


def test_the_future_holds_its_own_calendar_and_how_far_ahead_a_step_is(tables: list[FeatureTable]) -> None:
    found = make_batch(tables, np.array([0]), np.array([2200]), STEPS, SPEC).future[0].numpy()
    known = len(KNOWN_NAMES)
    np.testing.assert_array_equal(found[:, :known], tables[0].future[2201 : 2201 + 288, :known])
    np.testing.assert_allclose(found[:, -1], np.arange(1, 289) / 288, rtol=1e-6)
    np.testing.assert_allclose(found[:, -4], np.exp(-24 * np.arange(1, 289) / 288), rtol=1e-5)
    assert (np.diff(found[:, -4:-1], axis=0) < 0).all()


def test_what_inputs_say_of_a_window_stands_before_how_far_ahead_a_step_is(tables: list[FeatureTable]) -> None:
    spec, values = replace(SPEC, inputs=True), np.linspace(-1, 1, 2 * 288, dtype=np.float32).reshape(2, 288)
    assert spec.future_names == (*SPEC.future_names, "inputs")
    told = [replace(table, foretold=Foretold(rows=np.array([2199, 2200]), values=values)) for table in tables]
    plain = make_batch(tables, np.array([0, 1]), np.array([2200, 2199]), STEPS, SPEC).future
    found = make_batch(told, np.array([0, 1]), np.array([2200, 2199]), STEPS, spec).future
    np.testing.assert_allclose(found[..., -5].numpy(), 4 * values[::-1], rtol=1e-6)
    assert torch.equal(torch.cat([found[..., :-5], found[..., -4:]], dim=-1), plain)


def test_a_window_at_the_end_knows_nothing_of_what_comes(tables: list[FeatureTable]) -> None:
    last = len(tables[0]) - 1
    found = make_batch(tables, np.array([0]), np.array([last]), STEPS, SPEC)
    assert float(found.realised[0, 0]) == 0.0
    assert found.realised[0, 1:].isnan().all()
    assert found.future.isfinite().all()


def test_gaps_are_zero_with_a_flag_and_never_a_number() -> None:
    bars = seasonal_bars(12, 0, 300)
    missing = bars.observed != bars.observed[2150]
    table = FeatureTable.build(keep(bars, missing), SPEC)
    found = make_batch([table], np.array([0]), np.array([2160]), STEPS, SPEC).sequence[0]
    flags = found[:, 3]
    assert found.isfinite().all()
    assert 1 <= int(flags.sum()) <= 2  # the bar itself, and the return over it
    assert (found[flags == 1][:, 0] == 0).all()


def test_a_law_comes_for_every_window_and_its_history_reaches_it() -> None:
    net, windows = network(), batch()
    torch.nn.init.normal_(net.head.decoder.out.weight)
    law = net(windows)
    assert law.sample(5, generator=torch.Generator().manual_seed(0)).shape == (2, 5, 288)
    for name in ("sequence", "context", "future"):
        moved = Batch(**{**vars(windows), name: getattr(windows, name) + 0.5})
        assert not torch.equal(net(moved).params()["log_volatility"], law.params()["log_volatility"]), name


def test_an_asset_has_an_embedding_of_its_own() -> None:
    net, windows = network(), batch()
    torch.nn.init.normal_(net.head.decoder.out.weight)
    other = Batch(**{**vars(windows), "asset": windows.asset.flip(0)})
    assert not torch.equal(net(other).params()["log_volatility"], net(windows).params()["log_volatility"])


def test_patches_are_consecutive_steps() -> None:
    """A change of one step changes the input of the one patch that holds it."""
    net, windows = network(), batch()
    inputs: list[torch.Tensor] = []
    net.stem.register_forward_hook(lambda module, given, out: inputs.append(given[0].detach()))
    moved = windows.sequence.clone()
    moved[:, 7] += 1.0
    net(windows)
    net(Batch(**{**vars(windows), "sequence": moved}))
    assert inputs[0].shape == (2, 24, 12)
    assert (inputs[0] != inputs[1]).any(-1).any(0).nonzero().flatten().tolist() == [7 // 3]


def test_parameters_are_counted_and_the_correlation_is_none_of_them() -> None:
    net = network()
    assert net.num_parameters == sum(p.numel() for p in net.state_dict().values()) - 4
    assert torch.equal(net.correlation, torch.eye(2))
