"""Names that would open a way past the lists if a file could give them to attributes of its own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from synthcity.nets.authored.taken import taken_names


@pytest.mark.parametrize(
    "name",
    [
        "__class__", "__dict__", "__globals__", "__subclasses__", "__code__", "f_globals", "tb_frame", "gi_frame",
        "data", "numpy", "storage", "share_memory_", "register_forward_hook", "load_state_dict", "training",
        "mix_built", "draw_noise", "tofile", "with_traceback", "format", "cr_frame",
    ],
)  # fmt: skip
def test_attributes_of_anything_that_a_file_may_meet_are_taken(name: str) -> None:
    assert name in taken_names()


def test_every_layers_own_names_are_taken() -> None:
    for layer in (nn.Linear, nn.LSTM, nn.MultiheadAttention, torch.Tensor):
        assert set(dir(layer)) <= taken_names()


@pytest.mark.parametrize("name", ["gated_average", "kernel_width", "my_gate"])
def test_names_of_ones_own_are_free(name: str) -> None:
    assert name not in taken_names()
