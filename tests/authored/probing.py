"""A worker that has loaded what features have, and calls every listed function in many ways."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable

import numpy as np

from synthcity.authored.locked.wire import Message
from synthcity.authored.numeric import prepare
from synthcity.authored.vocabulary import NUMPY

__all__ = ["begin", "prepare"]


def begin(message: Message) -> Callable[[Message], Message]:
    """Answer with what could not be loaded or reached for, by the function's name."""
    warnings.simplefilter("ignore")

    def answer(asked: Message) -> Message:
        x, m, i = np.linspace(0.1, 0.9, 6), np.eye(3) + 1, np.array([0, 1])
        ways: list[tuple[object, ...]] = [
            (x,), (x, x), (m,), (m, m), (m, x[:3]), (x, 0.5), (x, 2), (3,), ((2, 2),), (x > 0.5, x, x), ([x, x],),
            ("ij,jk", m, m), (i,), (i, i), (x, x, x), (x, i), (m, i, 0), ([x > 0.5], [x]), (np.float64,), (0, 1, 5),
            (m, 1, 0), (m, (2, 2)), (np.where(x > 0.5, np.nan, x),), (np.where(x > 0.5, np.nan, x), 0.5),
        ]  # fmt: skip
        found: dict[str, str] = {}
        for module in ("numpy", "numpy.fft", "numpy.linalg"):
            for name in sorted(NUMPY.modules[module]):
                function = getattr(importlib.import_module(module), name)
                for way in ways if callable(function) else []:
                    try:
                        repr(function(*way))
                    except (ImportError, OSError) as error:
                        found[f"{module}.{name}"] = f"{error}"
                    except Exception:  # noqa: BLE001 - most ways are not meant
                        continue
        return Message({"found": found})

    return answer
