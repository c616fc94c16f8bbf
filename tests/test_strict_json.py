from __future__ import annotations

import pytest

from synthcity import strict_json


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "1e999", "-1e400", "[" * 100_000, "", "{"])
def test_what_is_no_json_is_refused(text: str) -> None:
    for read in (strict_json.loads, strict_json.decoder().decode):
        with pytest.raises((ValueError, RecursionError)):
            read(text)
    with pytest.raises(ValueError, match=r"."):
        strict_json.loads(text)


def test_line_breaks_within_texts_are_taken_where_that_is_asked_for() -> None:
    assert strict_json.loads('"a\nb"', lenient=True) == "a\nb"
    with pytest.raises(ValueError, match="control character"):
        strict_json.loads('"a\nb"')
