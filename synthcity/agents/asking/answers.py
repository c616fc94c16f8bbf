"""Reading answers: what a model thought, what it said, and the JSON in it, whatever it wrapped that in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from synthcity import strict_json
from synthcity.agents.asking.trouble import Trouble
from synthcity.agents.messages import ToolCall

if TYPE_CHECKING:
    from jsonschema import ValidationError

_THINKING = re.compile(r"<think(?:ing)?>(.*?)(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_UNOPENED = re.compile(r"\A(.*)</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_MOST_STARTS = 200  # places where an object may begin that are tried
_MOST_ERRORS = 8
_MOST_WRAPPINGS = 3  # of JSON in a JSON text
_TAG = r"(?:</?[\w|:.-]+>|<\|[^|>]*\|>|```(?:json)?)"
_TAGS_BEFORE, _TAGS_AFTER = re.compile(rf"\A(?:\s*{_TAG})+\s*"), re.compile(rf"\s*(?:{_TAG}\s*)+\Z")
_WRITTEN_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*(?:</tool_call>|\Z)", re.DOTALL)
_LONGEST_ERROR = 240


def split_thinking(content: str) -> tuple[str, str]:
    """Return (what was said, what was thought): ``<think>`` blocks taken out, open or unopened ones too.

    An answer that is JSON as it stands is left alone: the tags may be part of a text in it.
    """
    try:
        strict_json.loads(content)
    except ValueError:
        pass
    else:
        return content.strip(), ""
    thoughts = [match.strip() for match in _THINKING.findall(content)]
    said = _THINKING.sub("", content)
    if (unopened := _UNOPENED.match(said)) is not None:  # the chat template had opened it
        thoughts.insert(0, unopened[1].strip())
        said = said[unopened.end() :]
    return said.strip(), "\n".join(thought for thought in thoughts if thought)


def parse_arguments(text: str) -> Any:
    """Decode the arguments of a call as models write them: raw line breaks in texts, JSON in a JSON text, stray tags.

    Raises:
        ValueError: they are no JSON all the same.
    """
    value: Any = text.strip() or "{}"
    for _ in range(_MOST_WRAPPINGS):
        if not isinstance(value, str):
            break
        stripped = _TAGS_AFTER.sub("", _TAGS_BEFORE.sub("", value.strip()))
        value = strict_json.loads(stripped, lenient=True)
    return value


def plain_name(name: str) -> str:
    """Return a tool's own name where a model wrote ``functions.finish``, ``finish()`` or ``finish<|channel|>...``."""
    return re.split(r"[.:/]", name.partition("<|")[0].strip().removesuffix("()"))[-1]


def check(text: str, schema: Mapping[str, object]) -> tuple[Any, list[str]]:
    """Return the JSON value in ``text`` that fits ``schema``, and no errors; else None and what is wrong.

    The whole text, fenced blocks and objects within prose are tried in this order. The errors are those of the longest
    value, so that a repair concerns the answer and not an aside.
    """
    longest, errors = 0, ["there is no JSON in the answer" if text.strip() else "the answer is empty"]
    for value, length in _values(text):
        found = errors_of(value, schema)
        if not found:
            return value, []
        if length > longest:
            longest, errors = length, found
    return None, _broken(text) or errors


def errors_of(value: object, schema: Mapping[str, object]) -> list[str]:
    """Return what keeps a value from fitting a schema, each with its place; the first few, each shortened."""
    from jsonschema import Draft202012Validator

    found = [leaf for error in Draft202012Validator(schema).iter_errors(value) for leaf in _leaves(error)]
    more = len(found) - _MOST_ERRORS
    return [_error_text(error) for error in found[:_MOST_ERRORS]] + ([f"... and {more} more"] if more > 0 else [])


def read_choice(data: object) -> tuple[str, str, tuple[ToolCall, ...], str]:
    """Return (said, thought, tool calls, finish reason) of the first choice of a chat completion.

    Raises:
        Trouble: there is no choice to read.
    """
    choices = data.get("choices") if isinstance(data, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise Trouble("the server's answer holds no message", "switch", maybe_billed=True)
    said, thought = split_thinking(_content(message.get("content")))
    aloud = message.get("reasoning_content") or message.get("reasoning")
    if isinstance(aloud, str) and aloud.strip():
        thought = f"{aloud.strip()}\n{thought}".strip()
    reason = choice.get("finish_reason")
    calls = tuple(_tool_calls(message.get("tool_calls"))) or tuple(_written_calls(said))
    return said, thought, calls, reason if isinstance(reason, str) else ""


def _content(content: object) -> str:
    if isinstance(content, list):  # parts; those that are no text have nothing for us
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _tool_calls(calls: object) -> Iterator[ToolCall]:
    for number, call in enumerate(calls if isinstance(calls, list) else ()):
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            given = function.get("arguments")
            arguments = given if isinstance(given, str) else "" if given is None else json.dumps(given)
            name = call.get("id")
            yield ToolCall(
                id=name if isinstance(name, str) and name else f"call_{number}",
                name=function["name"],
                arguments=arguments,
            )


def _written_calls(said: str) -> Iterator[ToolCall]:
    """Calls that a model wrote into its text, where the server has no parser for its way of writing them."""
    for number, block in enumerate(_WRITTEN_CALL.findall(said)):
        try:
            call = strict_json.loads(block, lenient=True)
        except ValueError:
            continue
        if isinstance(call, dict) and isinstance(call.get("name"), str):
            given = call.get("arguments", call.get("parameters", {}))
            arguments = given if isinstance(given, str) else json.dumps(given)
            yield ToolCall(id=f"call_{number}", name=call["name"], arguments=arguments)


def _values(text: str) -> Iterator[tuple[object, int]]:
    """All JSON values that may be meant, each with the length of its text."""
    for candidate in [text, *(block.strip() for block in _FENCE.findall(text))]:
        try:
            value = parse_arguments(candidate)
        except ValueError:
            continue
        if value != {} or candidate.strip():
            yield value, len(candidate)
    if _broken(text):
        return  # what lies within is only a part of what was meant
    start, tried = text.find("{"), 0
    while start >= 0 and tried < _MOST_STARTS:
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield value, end - start
        start, tried = text.find("{", end), tried + 1


def _broken(text: str) -> list[str]:
    """Say where an answer that begins as JSON, or whose first fence does, stops being it."""
    meant = next(block.strip() for block in [*_FENCE.findall(text)[:1], text])
    if meant.startswith(("{", "[")):
        try:
            _DECODER.raw_decode(meant)
        except ValueError as error:
            return [f"the JSON is broken: {error}"]
        except RecursionError:
            return ["the JSON is broken: nested too deeply"]
    return []


def _leaves(error: ValidationError) -> list[ValidationError]:
    """Where one of several schemas must fit, return what is wrong with the one that was meant.

    That is the one whose constants agree, such as the name of a component; else the one with the fewest errors.
    """
    if not error.context:
        return [error]
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).extend(_leaves(inner))
    return min(branches.values(), key=lambda leaves: (any(leaf.validator == "const" for leaf in leaves), len(leaves)))


def _error_text(error: ValidationError) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path).lstrip(".")
    text = f"{path or 'the value'}: {error.message}"
    # a long value stands before what is wrong with it
    return text if len(text) <= _LONGEST_ERROR else f"{text[: _LONGEST_ERROR // 2]} ... {text[-_LONGEST_ERROR // 2 :]}"


_DECODER = strict_json.decoder()
