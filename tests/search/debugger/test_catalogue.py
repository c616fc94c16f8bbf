"""Known errors as libraries word them, and what helps against each."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from synthcity.nets.registry import component
from synthcity.search.debugger.catalogue import (
    CATALOGUE,
    PATCH,
    calmer,
    default_options,
    describe_catalogue,
    dividing,
    find,
    plain_head,
    slower,
    without_it,
)
from synthcity.search.debugger.failure import Failure
from synthcity.search.journal.diagnosis import LEAVE, LIMIT
from tests.search.builders import config

NET = config(
    blocks=[{"name": "transformer", "n_heads": 8}],
    head={"name": "mixture", "num_regimes": 4},
    training={"learning_rate": 0.004},
)


def failure(text: str, kind: str = "RuntimeError", part: tuple[str, str] | None = None) -> Failure:
    source = inspect.getsourcefile(component(*part).cls) if part else ""
    return Failure(kind=kind, message=text, traceback=f'  File "{source}", line 1, in forward' if part else "")


@pytest.mark.parametrize(
    ("kind", "text", "cause"),
    [
        ("WorkerDied", "the worker was lost", "machine"),
        ("RuntimeError", "CUDA error: an illegal memory access was encountered", "machine"),
        ("OSError", "[Errno 28] No space left on device", "machine"),
        ("OutOfMemoryError", "CUDA out of memory. Tried to allocate 20.00 MiB", "memory"),
        ("RuntimeError", "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried", "memory"),
        ("MemoryError", "", "memory"),
        ("TrialTimeout", "the training timed out: it took longer than 3 s", "time"),
        ("DataError", "BTC has no prices between", "data"),
        ("RuntimeError", "Expected all tensors to be on the same device, but found at least two devices", "device"),
        ("RuntimeError", "expected scalar type Float but found Double", "dtype"),
        ("ValueError", "num_paths 10 is no multiple of the 4 regimes", "divisibility"),
        ("ValueError", "this head cannot be drawn without a block", "pairing"),
        ("FloatingPointError", "overflow encountered in exp", "explosion"),
        ("TrialFailed", "the loss became nan", "nan"),
        ("TypeError", "f() got an unexpected keyword argument 'x'", "argument"),
        ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (2x64 and 32x4)", "shape"),
        ("NameError", "name 'levelz' is not defined", "program"),
    ],
)
def test_errors_are_known_by_their_words(kind: str, text: str, cause: str) -> None:
    found = find(failure(text, kind))
    assert found is not None
    assert found.cause == cause


def test_what_nobody_has_seen_is_not_known() -> None:
    assert find(failure("the spectrum is degenerate")) is None


def test_what_is_left_or_limited_has_no_remedy_and_what_is_patched_has_one() -> None:
    for known in CATALOGUE:
        assert known.action in (PATCH, LEAVE, LIMIT)
        assert bool(known.remedies) == (known.action == PATCH), known.cause
        assert f"- {known.cause}: {known.meaning}" in describe_catalogue()


def test_a_learning_rate_is_divided_by_four_down_to_its_lowest() -> None:
    assert slower(NET, failure("nan")) == {"training.learning_rate": 0.001}
    assert slower(config(training={"learning_rate": 0.0003}), failure("nan")) == {"training.learning_rate": 0.0002}
    assert slower(config(training={"learning_rate": 0.0002}), failure("nan")) == {}


def test_calmer_is_slower_with_the_heads_own_defaults() -> None:
    assert calmer(NET, failure("inf")) == {"training.learning_rate": 0.001, "head.num_regimes": 3}


def test_the_plain_head_is_no_remedy_for_itself() -> None:
    assert plain_head(NET, failure("no")) == {"head.name": "gbm"}
    assert plain_head(config(), failure("no")) == {}


def test_only_the_part_that_the_error_names_is_touched() -> None:
    named = failure("no", part=("block", "transformer"))
    assert default_options(NET, named) == {"blocks.0.n_heads": 4}
    assert without_it(NET, named) == {"blocks.0": None}
    assert without_it(NET, failure("no", part=("head", "mixture"))) == {"head.name": "gbm"}
    assert default_options(NET, failure("no")) == without_it(NET, failure("no")) == {}


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("num_paths 12 is no multiple of the 8 heads", {"blocks.0.n_heads": 4}),
        ("embed_dim (12) must be divisible by num_heads (8)", {"blocks.0.n_heads": 4}),
        ("n_heads is 8; it must divide d_model 12", {"blocks.0.n_heads": 4}),
        ("99 is no multiple of the 7 others", {}),
        ("something else", {}),
    ],
)
def test_the_size_that_does_not_divide_moves_to_the_nearest_that_does(text: str, changes: dict[str, Any]) -> None:
    assert dividing(NET, failure(text, "ValueError")) == changes


def test_remedies_go_on_with_returns_and_refusals_and_end() -> None:
    known = find(failure("the loss became nan"))
    assert known is not None
    first, second, third = ({"training.learning_rate": 0.001}, calmer(NET, failure("nan")), {"head.name": "gbm"})
    assert [known.remedy(NET, failure("nan"), returns=n) for n in range(4)] == [first, second, third, {}]
    assert [known.remedy(NET, failure("nan"), refused=n) for n in range(4)] == [first, second, third, {}]


def test_the_same_change_is_not_tried_twice() -> None:
    plain = config(training={"learning_rate": 0.004})
    known = find(failure("the loss became nan"))
    assert known is not None
    assert known.remedy(plain, failure("nan")) == {"training.learning_rate": 0.001}
    assert known.remedy(plain, failure("nan"), refused=1) == {}  # calmer and plainer say nothing new
