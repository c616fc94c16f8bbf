"""The house style of the report's plots: inline SVGs that take their colours from the page, so light and dark.

matplotlib draws with stand-in colours that the page's style sheet knows as variables. Each figure is about as
wide as a phone, and the page lays several side by side where there is room. What a mark stands for is said in SVG's own
``<title>``, which every browser shows under the pointer without a script; the page's script only adds that all marks of
one trial light up together.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

P = ParamSpec("P")

# role -> stand-in colour; any rare colour does, as it is replaced by var(--role) in the finished SVG
_ROLES = ("ink", "muted", "grid", "c0", "c1", "c2", "c3", "c4", "c5", "good", "bad", "band")
_COLOURS = {role: f"#fe{at:02x}ef" for at, role in enumerate(_ROLES)}
INK, MUTED, GRID, GOOD, BAD, BAND = (_COLOURS[role] for role in ("ink", "muted", "grid", "good", "bad", "band"))
SERIES = tuple(_COLOURS[f"c{i}"] for i in range(6))

_STYLE: Any = {
    "svg.fonttype": "none",  # real text: small, searchable, in the page's font
    "svg.hashsalt": "synthcity",
    "text.parse_math": False,
    "text.color": INK,
    "font.size": 10.5,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 10.5,
    "axes.linewidth": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 10.0,
    "figure.facecolor": "none",
    "lines.linewidth": 1.6,
    "path.simplify": True,
}
WIDTH, NARROW = 4.6, 3.6  # inches at 100 px each
_PX = 100
_TIP = re.compile(r'<g id="tip\|([^|"]*)\|([^"]*)">')


def new_figure(height: float, columns: int = 1, *, width: float = WIDTH) -> tuple[Figure, Any]:
    """Return a figure as wide as a phone and its axes, one or an array of ``columns``."""
    figure = Figure(figsize=(width, height), dpi=_PX, layout="constrained")
    FigureCanvasSVG(figure)
    return figure, figure.subplots(1, columns, sharey=columns > 1)


def tip(artist: Artist, text: str, trial: str = "") -> None:
    """Have the page say ``text`` while the pointer is over ``artist``, a mark of ``trial`` if it is of one."""
    plain = text.replace('"', "'").replace("|", "/")  # so that it always stands between double quotes
    artist.set_gid(f"tip|{trial}|{plain}")


@contextmanager
def house_style() -> Iterator[None]:
    """Have matplotlib draw as the report does."""
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # a name in a script that matplotlib's font lacks is drawn by the browser's fonts
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        yield


def draw(name: str, build: Callable[P, Figure], *data: P.args, **named: P.kwargs) -> str:
    """Return what ``build`` draws as an SVG element; ``name`` must be unique on the page (it prefixes all ids)."""
    with house_style():
        figure = build(*data, **named)
        stream = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(stream, format="svg", metadata=nothing)
    return _page_svg(stream.getvalue(), name, figure)


def _page_svg(svg: str, name: str, figure: Figure) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<svg [^>]*>", _opening(figure), svg, count=1)
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = _TIP.sub(_tipped, svg)
    svg = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path.group()), svg)  # half the bytes
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", svg)
    for role, colour in _COLOURS.items():
        svg = svg.replace(colour, f"var(--{role})")
    return re.sub(r"\n\s*", "\n", svg)


def _opening(figure: Figure) -> str:
    points = figure.get_size_inches() * 72
    pixels = figure.get_size_inches() * _PX
    return (
        f'<svg viewBox="0 0 {points[0]:g} {points[1]:g}" style="max-width:{pixels[0]:g}px" role="img" '
        'xmlns="http://www.w3.org/2000/svg">'
    )


def _tipped(found: re.Match[str]) -> str:
    trial, text = found.groups()  # escaped already, as an attribute was
    named = f' data-trial="{trial}"' if trial else ""
    return f"<g{named}><title>{text}</title>"
