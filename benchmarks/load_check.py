"""Whether the network would take an answer: all of it, by both dates' rules, in a fraction of the time of ``validate``.

A number of at most eight digits with a dot among them, the first one not 0, passes both digit rules; and what is left
of an answer without its digits is known. So nothing need be parsed. What is not so, or is to be looked at thoroughly,
goes through ``validate``.
"""

from __future__ import annotations

import numpy as np
import orjson
from isal import igzip

from synthcity.sn50.competitions import get_rules, rule_dates
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.submission import MAX_DIGITS, validate

_DOT, _ZERO, _NINE = b".09"


def check(content: bytes, encoding: str, prompt: Prompt, thorough: bool) -> str | None:
    """Why the network would refuse an answer under either date's rules; None if it would not."""
    try:
        text = igzip.decompress(content) if encoding == "gzip" else content
        if not thorough and is_plainly_good(text, prompt):
            return None
        answer = orjson.loads(text)["simulation_output"]
    except (ValueError, TypeError, KeyError, OSError, EOFError) as error:
        return f"cannot be read: {type(error).__name__} {error}"
    reasons = (validate(answer, prompt, get_rules(date)) for date in rule_dates())
    return next((reason for reason in reasons if reason), None)


def is_plainly_good(text: bytes, prompt: Prompt) -> bool:
    """Whether ``text`` answers ``prompt`` in the form that ``encode_reply`` gives it, with good numbers alone."""
    head = b'{"simulation_input":{},"simulation_output":[%d,%d,' % (prompt.start_time, prompt.time_increment)
    if not text.startswith(head):
        return False
    body = text[len(head) :]
    row = b"[" + b"," * prompt.num_steps + b"]"
    if body.translate(None, b"0123456789.") != b",".join([row] * prompt.num_simulations) + b"]}":
        return False
    codes = np.frombuffer(body, np.uint8)
    dots = np.flatnonzero(codes == _DOT)
    ends = np.flatnonzero((codes != _DOT) & ((codes < _ZERO) | (codes > _NINE)))
    begins, ends = ends[:-1] + 1, ends[1:]
    begins, ends = begins[ends > begins], ends[ends > begins]
    if not len(begins) == len(dots) == prompt.num_simulations * (prompt.num_steps + 1):
        return False
    good = (begins < dots) & (dots < ends - 1) & (codes[begins] != _ZERO) & (ends - begins - 1 <= MAX_DIGITS)
    return bool(good.all())
