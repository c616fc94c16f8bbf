"""Running a text with the listed names; done here with harmless ones."""

from __future__ import annotations

import pytest

from synthcity.authored.execution import execute
from synthcity.authored.vocabulary import NUMPY


def test_a_text_defines_what_it_says() -> None:
    defined = execute("import numpy as np\nimport numpy.fft as f\nX = np.ones(2).sum()\n", NUMPY)
    assert defined["X"] == 2.0
    assert defined["f"].__name__ == "numpy.fft"


@pytest.mark.parametrize("text", ["import os", "from . import x", "import numpy.random", "from os.path import join"])
def test_another_import_is_refused(text: str) -> None:
    with pytest.raises(ImportError, match="is not allowed"):
        execute(text, NUMPY)


@pytest.mark.parametrize("name", ["open", "eval", "exec", "getattr", "print", "object", "__build_class__"])
def test_other_builtins_are_not_there(name: str) -> None:
    with pytest.raises(NameError):
        execute(f"{name}(1)" if name != "__build_class__" else "class X: pass", NUMPY)
