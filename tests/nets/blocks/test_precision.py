"""Half precision is widened where it is too coarse, and nothing else is touched."""

import pytest
import torch

from synthcity.nets.blocks.precision import full_precision


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_float32(dtype: torch.dtype):
    x = torch.tensor([0.1, 3.0], dtype=dtype)
    assert full_precision(x).dtype == torch.float32
    assert full_precision(x).tolist() == x.tolist()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_fine_enough_stays_itself(dtype: torch.dtype):
    x = torch.ones(2, dtype=dtype)
    assert full_precision(x) is x
