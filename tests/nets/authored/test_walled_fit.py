"""Training behind the wall comes to what it comes to outside; here without processes, see test_inside for those."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from synthcity.authored.locked.forks import Misbehaved
from synthcity.authored.locked.wire import Message
from synthcity.errors import ConfigError, TrialFailed, TrialTimeout
from synthcity.market.dataset import Dataset
from synthcity.nets import state as states
from synthcity.nets.authored import walled_network
from synthcity.nets.authored.examples import BLOCK, HEAD
from synthcity.nets.training import Trainer
from tests.nets.authored.door import Here, open_here

CONFIG: dict[str, object] = {
    "d_model": 16,
    "history": 24,
    "patch": 1,
    "blocks": [{"name": "gated_average", "kernel": 3}, {"name": "gru"}],
    "head": {"name": "plain_normal"},
    "training": {"batch_size": 24, "num_paths": 12},
}


def trainer(dataset: Dataset, state: bytes | None = None, **options: float) -> Trainer:
    return Trainer(CONFIG, dataset, seed=3, num_rungs=2, max_steps=6, device="cpu", state=state, **options)


def test_a_rung_and_its_state_are_those_of_the_same_network_outside(dataset: Dataset, here: Here, unwalled) -> None:
    walled = trainer(dataset)
    figures = [walled.advance()]
    walled = trainer(dataset, walled.state())
    figures.append(walled.advance())
    with unwalled():
        plain = trainer(dataset)
        for found in figures:
            expected = plain.advance()
            for name in ("rung_score", "train_loss", "scores_by_interval", "blocks", "steps", "parameters", "done"):
                assert found[name] == expected[name], name
        assert "isolation" not in expected
        (tensors, meta), (same, same_meta) = (states.parse(each.state()) for each in (walled, plain))
        assert (meta, tensors.keys()) == (same_meta, same.keys())
        assert all(torch.equal(tensors[name], value) for name, value in same.items())
    assert figures[0]["isolation"] == here.isolation
    assert here.opened - here.closed == 2, "each child but those that train is gone"


def test_a_child_in_training_never_sees_validation_and_no_other_sees_what_came_after(
    dataset: Dataset, here: Here, written: None
) -> None:
    trainer(dataset).advance()
    steps = [message for message in here.heard if message.values.get("call") == "step"]
    laws = [message for message in here.heard if message.values.get("call") == "law"]
    assert len(steps) == 3
    assert len(laws) > 0
    assert all(np.isfinite(message.arrays["realised"]).any() for message in steps)
    assert not any(np.isfinite(message.arrays["realised"]).any() for message in laws)


def test_refitting_looks_at_no_score(dataset: Dataset, here: Here, written: None) -> None:
    fitted = trainer(dataset)
    assert fitted.fit(2) == 6
    tensors, _ = states.parse(fitted.state())
    assert all(torch.equal(tensors[f"best.{name}"], value) for name, value in states.group(tensors, "ema").items())
    assert not any(message.values.get("call") == "law" for message in here.heard)


def test_the_gate_counts_and_times_it(dataset: Dataset, here: Here, unwalled) -> None:
    found = Trainer.check(CONFIG, dataset)
    assert found["step_seconds"] >= 1.0, "of the child's clock, which a test moves by a second a look"
    with unwalled():
        assert found["parameters"] == Trainer.check(CONFIG, dataset)["parameters"]


def test_a_rungs_time_is_the_childs(dataset: Dataset, here: Here, written: None) -> None:
    with pytest.raises(TrialTimeout, match=r"2 of 3 steps of rung 1 took longer than 1\.5 s"):
        trainer(dataset, rung_seconds=1.5).advance()


def test_a_network_that_looks_at_later_windows_is_refused(
    dataset: Dataset, here: Here, written: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a batch of validation windows the later ones know what came after the earlier ones."""
    looking = BLOCK.replace("value * torch.sigmoid(gate)", "value * torch.sigmoid(gate).roll(-1, 0)")
    code = {"kind": "block", "name": "gated_average", "source": looking}
    head = {"kind": "head", "name": "plain_normal", "source": HEAD}
    monkeypatch.setattr(walled_network, "codes_of", lambda config: (code, head))
    draw = (
        np.random.default_rng
    )  # a window in six is too like the next one to tell: which are asked is chance otherwise
    monkeypatch.setattr(np.random, "default_rng", lambda *seed: draw(*(seed or (1,))))
    with pytest.raises(Misbehaved, match=r"gated_average\+gru>plain_normal d16 answers otherwise where it sees what"):
        trainer(dataset).advance()


def changed(call: str, **values: object):
    """A child that says something else, in answer to one call."""

    def lie(asked: Message, answer: Message) -> Message:
        return Message({**answer.values, **values}, answer.arrays) if asked.values["call"] == call else answer

    return lie


@pytest.mark.parametrize(
    ("lie", "error", "text"),
    [
        (changed("step", loss=None), TrialFailed, "training loss became nan"),
        (changed("step", loss="x"), TrialFailed, "training loss became nan"),
        (changed("layout", layout=None), Misbehaved, "does not say what tensors"),
        (changed("layout", layout=[["a", [1 << 40], "float32", True]]), Misbehaved, "more than 256 MB"),
        (changed("layout", layout=[["a", [2], "object", True]]), Misbehaved, "no network here has"),
        (changed("layout", layout=[["a\nb", [2], "float32", True]]), Misbehaved, "no network here has"),
        (changed("layout", layout=[]), Misbehaved, "no network here has"),
        (changed("draw", strata=5), Misbehaved, "192 paths have 5 strata"),
        (changed("draw", strata=-1), Misbehaved, "-1 strata"),
        (changed("draw", strata=192), Misbehaved, "192 strata"),
        (changed("draw", strata=True), Misbehaved, "True strata"),
        (changed("draw", strata=2), Misbehaved, "asked for"),
    ],
)
def test_a_lie_costs_the_trial(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, written: None, lie, error: type, text: str
) -> None:
    open_here(monkeypatch, Here(lie))
    with pytest.raises(error, match=text):
        trainer(dataset).advance()


@pytest.mark.parametrize("weights", [[-1.0, 2.0], [0.1, 0.1], [9.0, -8.0]])
def test_weights_that_would_forge_a_score_are_refused(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, written: None, weights: list[float]
) -> None:
    def lie(asked: Message, answer: Message) -> Message:
        if asked.values["call"] == "draw":
            return Message({"strata": 2})
        if asked.values["call"] == "give":
            number = len(answer.arrays["paths"])
            return Message(arrays={**answer.arrays, "weights": np.tile(np.float32(weights), (number, 1))})
        return answer

    open_here(monkeypatch, Here(lie))
    with pytest.raises(Misbehaved, match="no shares"):
        trainer(dataset).advance()


def test_how_assets_move_together_is_no_childs_to_say(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, written: None
) -> None:
    def lie(asked: Message, answer: Message) -> Message:
        arrays = {k: np.full_like(v, 7.0) if k.endswith("correlation") else v for k, v in answer.arrays.items()}
        return Message(answer.values, arrays)

    open_here(monkeypatch, Here(lie))
    lying = trainer(dataset)
    lying.advance()
    tensors, _ = states.parse(lying.state())
    for prefix in ("last", "ema", "best"):
        assert 0 < tensors[f"{prefix}.correlation"][0, 1] < 1 or math.isclose(tensors[f"{prefix}.correlation"][0, 0], 1)


def test_it_cannot_stand_beside_a_part_from_outside(dataset: Dataset, here: Here, written: None, monkeypatch) -> None:
    monkeypatch.setattr(walled_network, "codes_of", lambda config: ({"name": "ema", "module": "ema_file"},))
    with pytest.raises(ConfigError, match=r"ema comes from outside this package .* drop one of the two"):
        trainer(dataset)
