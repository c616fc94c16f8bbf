"""A trained network travels as bytes, and a lost one is one sentence."""

from __future__ import annotations

import pickle

from synthcity.search.finals.finalist import Finalist
from tests.research.informed.test_forecaster import by_hand


def test_it_pickles_as_its_state_alone() -> None:
    finalist = Finalist("c0001", b"state", [{"kind": "block", "name": "a", "source": "s", "sha256": "h"}])
    finalist.__dict__["_net"] = lambda: None  # what was built cannot be pickled, and need not be
    copy = pickle.loads(pickle.dumps(finalist))
    assert copy.__getstate__() == finalist.__getstate__()
    assert "_net" not in vars(copy)


def test_what_it_was_trained_with_travels_with_it() -> None:
    copy = pickle.loads(pickle.dumps(Finalist("c0001", b"state", inputs=by_hand())))
    assert copy.__getstate__()["_inputs"].digest == by_hand().digest
