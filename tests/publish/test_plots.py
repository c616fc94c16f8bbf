from __future__ import annotations

from synthcity.publish.gate import Examined
from synthcity.publish.plots import draw_plots
from tests.search.sample_run import sample_report


def test_one_asset_has_one_picture_and_several_have_two(examined: Examined) -> None:
    assert examined.proof is not None
    assert list(draw_plots(examined.proof.evidence.report)) == ["leads.png"]
    found = draw_plots(sample_report())
    assert list(found) == ["leads.png", "assets.png"]
    for caption, content in found.values():
        assert caption
        assert content.startswith(b"\x89PNG")
