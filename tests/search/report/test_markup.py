"""Sentences of ours as they stand on a page."""

from __future__ import annotations

from synthcity.search.report.markup import coded


def test_what_is_to_be_typed_is_drawn_as_that_and_nothing_is_markup_of_another() -> None:
    assert coded("try `a <b>` or <c>, `d`") == "try <code>a &lt;b&gt;</code> or &lt;c&gt;, <code>d</code>"
    assert coded("plain") == "plain"
