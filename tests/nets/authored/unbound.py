"""What a locked child does for networks, for texts that get all of Python, as if the reading had let all through.

The server loads what the tests' networks need and no more, since it is started in the default suite.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable

import numpy as np

from synthcity.authored.locked import wire
from synthcity.authored.locked.wire import Message
from synthcity.nets.authored import inside
from tests.authored.locked import hostile

__all__ = ["begin", "prepare"]


def prepare() -> None:
    """Have at hand whatever an attempt may want, so that it fails for no other reason than the lock."""
    import torch
    import torch.utils.serialization

    hostile.prepare()
    torch.set_num_threads(1)
    inside.registry.registered("block")
    inside.get_rules("2026-09")
    inside._warm_up({"blocks": [{"name": "gru"}]})


def begin(message: Message) -> Callable[[Message], Message]:
    """Run texts as they stand."""
    for code in message.values["codes"]:
        module = types.ModuleType("hostile")
        vars(module).update({"np": np, "os": os, "wire": wire, "Message": Message})  # as hostile texts have them
        sys.modules["hostile"] = module
        exec(compile(code["source"], f"<authored {code['name']}>", "exec"), vars(module))
    return inside.answering(message)
