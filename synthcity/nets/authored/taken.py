"""Names that an authored file may not give to attributes of its own."""

from __future__ import annotations

from functools import cache


@cache
def taken_names() -> frozenset[str]:
    """Every attribute of the values that an authored file can come by, and of those it must never come by."""
    import types

    import numpy as np
    import torch
    from torch import nn

    from synthcity.nets.blocks.base import BuildContext, BuiltLengthBlock
    from synthcity.nets.heads.decoder import Pool, StepDecoder
    from synthcity.nets.heads.gbm import GBMLaw

    built_in = (int, float, complex, bool, str, bytes, list, tuple, dict, set, frozenset, slice, range, type, object)
    insides = (
        types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.GeneratorType, types.FrameType,
        types.CodeType, types.TracebackType, types.ModuleType, types.CoroutineType, BaseException, property,
    )  # fmt: skip
    tensors = (torch.Tensor, torch.Generator, torch.Size, torch.device, torch.dtype, torch.UntypedStorage, np.ndarray)
    layers = [value for value in vars(nn).values() if isinstance(value, type)]
    ours = (BuildContext, BuiltLengthBlock, Pool, StepDecoder, GBMLaw)
    names = {name for kind in (*built_in, *insides, *tensors, *layers, *ours) for name in dir(kind)}
    return frozenset(names | {"training"})
