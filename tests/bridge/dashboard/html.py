"""Looks at a page as a checker of accessibility does, without a browser."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """What a page holds, and what is wrong with it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        self._text: dict[int, str] = {}
        self.feed(text)
        self.close()
        self._judge()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = (tag, {name: value or "" for name, value in attrs})
        self.elements.append(found)
        if tag not in VOID:
            self._open.append(found)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            self.problems.append(f"</{tag}> ends {self._open[-1][0] if self._open else 'nothing'}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for _, attrs in self._open:
            self._text[id(attrs)] = self._text.get(id(attrs), "") + data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.elements if name == tag]

    def text(self, attrs: dict[str, str]) -> str:
        return self._text.get(id(attrs), "").strip()

    def _judge(self) -> None:
        say = self.problems.append
        ids = [attrs["id"] for _, attrs in self.elements if "id" in attrs]
        if len(ids) != len(set(ids)):
            say("an id stands twice")
        labelled = {attrs.get("for") for attrs in self.all("label")}
        for attrs in self.all("input"):
            if attrs.get("id") not in labelled:
                say(f"an input without a label: {attrs}")
        for tag in ("a", "button"):
            for attrs in self.all(tag):
                if not self.text(attrs) and not attrs.get("aria-label"):
                    say(f"a {tag} without a name: {attrs}")
        for attrs in self.all("svg"):
            if attrs.get("role") != "img" or not attrs.get("aria-label"):
                say("a plot without words")
        for attrs in self.all("th"):
            if attrs.get("scope") not in ("col", "row") or not self.text(attrs):
                say(f"a head of a table without scope or text: {attrs}")
        for name, attrs in self.elements:
            if (target := attrs.get("aria-labelledby")) and target not in ids:
                say(f"{name} is labelled by {target}, which is not there")
            if "scroll" in attrs.get("class", "").split() and not (attrs.get("tabindex") and attrs.get("aria-label")):
                say("what scrolls cannot be reached by keys")
        levels = [int(tag[1]) for tag, _ in self.elements if re.fullmatch("h[1-6]", tag)]
        if levels[:1] != [1] or levels.count(1) != 1 or any(b - a > 1 for a, b in itertools.pairwise(levels)):
            say(f"headings are out of order: {levels}")
        if not self.all("html")[0].get("lang") or len(self.all("main")) != 1:
            say("no language, or not one main part")


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (#rgb or #rrggbb) as WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        digits = colour.lstrip("#")
        digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
