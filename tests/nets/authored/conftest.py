"""What a language model wrote, registered as a search does it, and the same without a wall for comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from synthcity.nets.authored.code import AuthoredCode, forget, register
from synthcity.nets.authored.examples import BLOCK, HEAD
from synthcity.nets.authored.execution import execute
from tests.nets.authored.door import Here, open_here

CODES = (AuthoredCode.of(BLOCK), AuthoredCode.of(HEAD))


@pytest.fixture
def written() -> Iterator[None]:
    for code in CODES:
        register(code)
    yield
    for code in CODES:
        forget(code)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Here:
    return open_here(monkeypatch, Here())


@pytest.fixture
def unwalled(written: None) -> Callable[[], AbstractContextManager[None]]:
    """A context in which the packaged examples are classes of this process, as if a person had written them."""

    @contextmanager
    def context() -> Iterator[None]:
        for code in CODES:
            forget(code)
            execute(code.name, code.source)
        try:
            yield
        finally:
            for code in CODES:
                forget(code)
                register(code)

    return context
