from __future__ import annotations

from dataclasses import replace

from huggingface_hub import ModelCard

from synthcity.publish.card import draw_plots, write_card
from synthcity.publish.gate import Examined
from synthcity.publish.publish import Prepared
from synthcity.publish.remote import Remote
from synthcity.wording import bounds, percent
from tests.search.sample_run import sample_report


def test_the_card_leads_with_the_interval_and_tells_all(ready: Prepared, examined: Examined) -> None:
    card = ready.card
    assert examined.proof is not None
    report = examined.proof.evidence.report
    assert report["verdict"]["sentence"] in card
    lead = report["leads"]["fhs"]
    assert f"| fhs | {percent(lead['mean'])} | {bounds(lead['low'], lead['high'])} | yes |" in card
    order = ["## Leads", "## Periods", "## Data", "## Limits", "## Load", "## Files"]
    assert [card.index(title) for title in order] == sorted(card.index(title) for title in order)
    for told in ("binance", "2025-10-10", "looked at once", "synthcity pull me/models", ready.publication.bundle):
        assert told in card
    assert "None" not in card
    assert "nan" not in card.lower().replace("binance", "")
    assert f"({ready.publication.folder}/plots/leads.png)" in card


def test_the_hubs_own_reader_takes_the_front_matter(ready: Prepared, remote: Remote) -> None:
    card = ModelCard(ready.card)
    assert card.data.library_name == "synthcity"
    assert {"bittensor", "sn50", "crypto-1h"} <= set(card.data.tags)
    remote.ask(lambda api: api._validate_yaml(ready.card, repo_type="model", token=remote.token), "check")


def test_code_and_many_looks_stand_among_the_limits(ready: Prepared, examined: Examined) -> None:
    assert examined.proof is not None
    told = replace(ready.publication, has_code=True, looks=3)
    card = write_card(told, examined.proof.evidence.report, "me/models", [])
    assert "looked at 3 times" in card
    assert "counts for less" in card
    assert "code that a language model wrote" in card


def test_one_asset_has_one_picture_and_several_have_two(examined: Examined) -> None:
    assert examined.proof is not None
    assert list(draw_plots(examined.proof.evidence.report)) == ["leads.png"]
    found = draw_plots(sample_report())
    assert list(found) == ["leads.png", "assets.png"]
    for caption, content in found.values():
        assert caption
        assert content.startswith(b"\x89PNG")
