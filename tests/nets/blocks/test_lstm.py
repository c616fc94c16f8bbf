"""LSTM: gates that carry a cell state; the forget gate starts open."""

import pytest
import torch

from synthcity.nets.conformance import CONTEXT, noise
from tests.nets.test_blocks import build

FORGET = slice(CONTEXT.d_model, 2 * CONTEXT.d_model)


def test_lstm_carries_the_first_step_to_the_last():
    block, x = build("lstm"), noise(1, 64)
    moved = x.clone()
    moved[:, 0] *= -3
    assert (block(x)[:, -1] - block(moved)[:, -1]).abs().max() > 0


@pytest.mark.parametrize("layer", [0, 1])
def test_the_forget_gate_of_every_layer_starts_open(layer: int):
    lstm = build("lstm", num_layers=2).lstm
    assert (getattr(lstm, f"bias_ih_l{layer}")[FORGET] == 1.0).all()
    assert (getattr(lstm, f"bias_hh_l{layer}")[FORGET] == 0.0).all()


def test_a_cell_that_forgets_hears_of_the_past_by_its_output_alone():
    block, x = build("lstm"), noise(1, 48)
    moved = x.clone()
    moved[:, 0] *= -3
    with torch.no_grad():
        block.lstm.bias_ih_l0[FORGET] = -100.0
        block.lstm.weight_hh_l0.zero_()
    torch.testing.assert_close(block.mix(x)[:, 1:], block.mix(moved)[:, 1:], rtol=0, atol=0)
