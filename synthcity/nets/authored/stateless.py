"""What an authored module may keep between two calls: its weights and constants, and nothing that a call changes.

Reading a file closes most ways to keep something; these checks look at the objects themselves, wherever they are built
and called: in the locked process, in a worker and in a replica.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from synthcity.errors import TrialFailed
from synthcity.nets.authored.execution import is_authored

_PLAIN = bool | int | float | complex | str | None
_BORROWED = types.BuiltinFunctionType | types.FunctionType


def check_built(module: nn.Module) -> None:
    """Refuse an authored module that holds something that a call could change unseen.

    Raises:
        TrialFailed: an attribute is neither constant nor a module, a parameter or a buffer.
    """
    for part in module.modules():
        if is_authored(part):
            own = {name: value for name, value in vars(part).items() if not name.startswith("_") and name != "training"}
            for name, value in own.items():
                if not _is_constant(value):
                    kind = type(value).__name__
                    raise TrialFailed(
                        f"{type(part).__name__}.{name} is a {kind}, which a call could change: keep numbers, texts, "
                        "tuples, modules, parameters and buffers"
                    )


def _is_constant(value: object) -> bool:
    if isinstance(value, tuple):
        return all(_is_constant(inner) for inner in value)
    if isinstance(value, _BORROWED):  # an activation, say; one of the file's own could close over a list
        return (value.__module__ or "").startswith(("torch", "math"))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        frozen: bool = value.__dataclass_params__.frozen  # type: ignore[attr-defined]
        return frozen and all(_is_constant(inner) for inner in vars(value).values())
    return isinstance(value, _PLAIN | torch.Size | torch.dtype | torch.device)


@contextmanager
def unchanged(module: nn.Module) -> Iterator[None]:
    """Refuse a call that writes into the parameters or buffers of an authored module; others are left alone.

    Raises:
        TrialFailed: one was changed in place.
    """
    if not is_authored(module):
        yield
        return
    before = _versions(module)
    yield
    if _versions(module) != before:
        raise TrialFailed(f"a call of {type(module).__name__} changed its own parameters or buffers")


def _versions(module: nn.Module) -> list[tuple[str, int, int]]:
    tensors = [*module.named_parameters(), *module.named_buffers()]
    # tensors of inference mode have no version, and nothing can be written into ours there
    return [(name, id(value), -1 if value.is_inference() else value._version) for name, value in tensors]
