"""A trained network travels as bytes, and a lost one is one sentence."""

from __future__ import annotations

import pickle

from synthcity.search.finals.finalist import Finalist


def test_it_pickles_as_its_state_alone() -> None:
    finalist = Finalist("c0001", b"state", [{"kind": "block", "name": "a", "source": "s", "sha256": "h"}])
    finalist.__dict__["_net"] = lambda: None  # what was built cannot be pickled, and need not be
    copy = pickle.loads(pickle.dumps(finalist))
    assert copy.__getstate__() == finalist.__getstate__()
    assert "_net" not in vars(copy)
