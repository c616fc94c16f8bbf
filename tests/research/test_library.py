from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError, RunError
from synthcity.research.labbook import Claimed, Origin, Tried
from synthcity.research.library import DROPPED, KEPT, PROMOTED, Evidence, add, decide, find, items, slug

RECIPE = Origin(recipe={"kind": "cycle", "hours": 37.0, "harmonics": 2})


def evidence(mean: float = -0.4) -> Evidence:
    return Evidence(
        competition="crypto-24h",
        baseline="har",
        prices="world 3",
        found=Tried(
            arm="control", round=2, name="cycle(37,2)", hypothesis="", origin=RECIPE, mean=mean, low=-0.6, high=-0.2
        ),
        confirmed=Claimed(
            arm="control",
            number=1,
            name="cycle(37,2)",
            mean=mean,
            low=None,
            high=None,
            confidence=0.98,
            prompts=100,
            blocks=7,
            kept=True,
        ),
        folds={"confirm": "2025-06-09 to 2025-07-19"},
        looks=0,
        tests=8,
    )


def test_what_is_kept_is_there_with_its_evidence_until_a_person_decides(tmp_path: Path) -> None:
    path = add(tmp_path, "cycle(37,2)", RECIPE, evidence())
    ((item,), problems) = items(tmp_path)
    assert (item.status, problems) == (KEPT, [])
    assert item.evidence == evidence()
    assert item.origin == RECIPE
    assert decide(tmp_path, path.stem, PROMOTED, "read it").status == PROMOTED
    again = add(tmp_path, "cycle(37,2)", RECIPE, evidence(-0.5))
    assert again == path
    assert (find(tmp_path, path.stem).status, find(tmp_path, path.stem).reason) == (PROMOTED, "read it")
    assert find(tmp_path, path.stem).evidence.found.mean == -0.5
    assert decide(tmp_path, path.stem, DROPPED, "an artefact").status == DROPPED


def test_inputs_of_one_name_lie_apart_and_no_name_leaves_the_folder() -> None:
    assert slug("cycle(37,2)", RECIPE) != slug("cycle(37,2)", Origin(source="text"))
    assert "/" not in slug("../../etc/passwd", RECIPE)


def test_what_is_no_item_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    add(tmp_path, "cycle(37,2)", RECIPE, evidence())
    (tmp_path / "broken.json").write_text("{")
    found, problems = items(tmp_path)
    assert len(found) == 1
    assert "broken.json" in problems[0]
    with pytest.raises(RunError, match="no item of a library"):
        find(tmp_path, "broken")
    with pytest.raises(ConfigError, match="cycle-37-2"):
        find(tmp_path, "cycle")
    assert items(tmp_path / "nowhere") == ([], [])
