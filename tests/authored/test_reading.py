"""The reader with the words for NumPy: what may not be said, said in many ways. Blocks have theirs in ``nets``."""

from __future__ import annotations

import pytest

from synthcity.authored.reading import MAX_CHARACTERS, Reader, Refused, parse, refuse
from synthcity.authored.vocabulary import NUMPY


def read(source: str) -> None:
    refuse(Reader(parse(source), NUMPY).findings())


BODY = {
    "a file": "np.load('x')",
    "a mapped file": "np.memmap('x')",
    "a text file": "np.genfromtxt('x')",
    "a compiler": "np.f2py.compile('x')",
    "memory as a file": "history.close.tofile('x')",
    "a pointer": "history.close.ctypes",
    "a writable view": "history.close.setflags(write=True)",
    "flags": "history.close.flags.writeable",
    "what an array is of": "history.close.base",
    "insides": "history.__dict__",
    "the class of a value": "history.close.__class__.__base__",
    "the globals of a function": "np.mean.__wrapped__",
    "a setter": "history.now = 3",
    "numpy's settings": "np.seterr(all='raise')",
    "numpy changed": "np.mean = None",
    "getattr": "getattr(np, 'load')",
    "a set": "set(history.assets)",
    "a set of signs": "{1, 2}",
    "a while loop": "while True: pass",
    "try": "try: pass\n    except Exception: pass",
    "a generator": "yield 1",
    "a global": "global np",
    "print": "print(1)",
    "a module as a value": "x = np",
    "uninitialised memory": "np.ndarray((3,))",
    "an import within": "import math",
    "a default that remembers": "f = lambda x=[]: x",
    "a name that is not there": "os.system('x')",
    "a walk of formats": "'{0.x}'.format(1)",
}


@pytest.mark.parametrize("name", BODY)
def test_what_a_function_may_not_say(name: str) -> None:
    with pytest.raises(Refused, match=r"line [56]: "):
        read(f"import numpy as np\n\n\ndef past(history):\n    {BODY[name]}\n    return 1\n")


WHOLE = {
    "a class": "class X:\n    pass\n",
    "another module": "import os\n",
    "a part of another": "from os import system\n",
    "all of it": "from numpy import *\n",
    "ours": "from synthcity.authored.locked import wire\n",
    "code at the top": "import numpy as np\nnp.zeros(3)\n",
    "a list at the top": "X = []\n",
    "an array at the top": "import numpy as np\nX = np.zeros(3)\n",
    "no Python": "def",
    "too long": "#" * (MAX_CHARACTERS + 1),
    "too deep": "X = " + "-" * 300 + "1\n",
    "null": "\0",
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_a_file_may_not_be(name: str) -> None:
    with pytest.raises(Refused):
        read(WHOLE[name])


def test_what_is_common_in_such_files_is_read() -> None:
    read('''
"""Words."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from synthcity.authored.history import History

HALF_LIVES = (6.0, 24.0)


def decayed(values: NDArray[np.float64], half_life: float) -> NDArray[np.float64]:
    weight = 0.5 ** (np.arange(len(values))[::-1] / half_life)
    return weight @ values / weight.sum()


def past(history: History) -> NDArray[np.float64]:
    bars = history.bars[history.resolution]
    returns = np.nan_to_num(np.diff(np.log(bars.close), axis=0, prepend=np.nan))
    spans = {f"h{hours:g}": decayed(returns**2, hours * 3600 / history.resolution) for hours in HALF_LIVES}
    smooth = sliding_window_view(returns, 3, axis=0).mean(axis=-1)
    if len(smooth) < 2 or not math.isfinite(smooth[-1, 0]):
        raise ValueError(f"too short: {len(smooth)}")
    with np.errstate(divide="ignore"):
        found = np.log(np.stack(list(spans.values()), axis=1))
    found[~np.isfinite(found)] = 0.0
    return np.clip(found, -9.0, 9.0)
''')
