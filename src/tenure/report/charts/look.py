"""One look for all charts, and how they are drawn: without a browser and without a network."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import altair as alt
import vl_convert

Rows = Sequence[Mapping[str, Any]]
Spec = dict[str, Any]
Picture: TypeAlias = alt.Chart | alt.LayerChart | alt.HConcatChart | alt.VConcatChart

WIDTH, WIDE = 500, 1040
LETTER, CAPITAL = 7.0, 9.5
"""Pixels of a letter, and of a capital, of 12 pixels in the widest of the usual fonts, which is not
the one that charts are laid out with: a label that is wider where it is read would be cut."""
FEW_MONTHS = 2  # below, an axis of times names days
LOOK: Spec = json.loads(Path(__file__).with_name("look.json").read_text(encoding="utf-8"))
INK, MUTED = LOOK["title"]["color"], LOOK["title"]["subtitleColor"]
RULE, PAPER = LOOK["axis"]["domainColor"], "#ffffff"
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#9aa5b1"  # of Okabe and Ito's colour-blind safe set


def to_svg(spec: Spec, name: str = "chart") -> str:
    """Return a spec as an SVG picture for a page, on which no other has the same name."""
    safe = re.sub(r"[^A-Za-z0-9-]", "-", name)

    def tag(match: re.Match[str]) -> str:
        text = re.sub(r' (?:aria-[a-z]+|role|pointer-events|xmlns:xlink)="[^"]*"', "", match[0])
        text = re.sub(r'( id="|url\(#)', rf"\1{safe}-", text)
        return re.sub(r"(\d\.\d\d)\d+", r"\1", text)

    return re.sub(r"<[^>]*>", tag, _draw(json.dumps(spec)))


@lru_cache(maxsize=64)
def _draw(spec: str) -> str:
    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))


def to_png(spec: Spec, scale: float = 2.0) -> bytes:
    """Return a spec as a PNG picture on a white ground."""
    look = {**spec, "background": PAPER}
    return bytes(vl_convert.vegalite_to_png(json.dumps(look), scale=scale, allowed_base_urls=[]))


def picture(spec: Spec) -> Picture:
    """Return a spec as an Altair chart, for notebooks.

    Where no renderer of Altair was chosen, charts are shown as SVG from now on: that needs no
    network, and the pictures stay in a stored notebook.
    """
    if alt.renderers.active == "default":
        alt.renderers.enable("svg")
    drawn: Picture = alt.Chart.from_dict({**spec, "background": PAPER})
    return drawn


def chart(rows: Rows) -> alt.Chart:
    """Return a chart of rows."""
    return alt.Chart(alt.Data(values=[dict(row) for row in rows]))


def layered(*charts: alt.Chart) -> alt.LayerChart:
    """Return charts on top of each other."""
    both = alt.layer(*charts)
    assert isinstance(both, alt.LayerChart)
    return both


def percents() -> alt.Axis:
    """Return an axis of percentages."""
    return alt.Axis(format="~%", tickCount=5)


def span(rows: Rows) -> str:
    """Return the least and the greatest `n` of rows, once where they are the same."""
    counts = [row["n"] for row in rows]
    return "–".join(f"{n:,}" for n in sorted({min(counts), max(counts)}))


def dates(rows: Rows) -> alt.Axis:
    """Return an axis of months, each named once; of days where the rows hold few months."""
    days = sorted(str(row["as_of"])[:10] for row in rows)
    first, last = (12 * int(day[:4]) + int(day[5:7]) for day in (days[0], days[-1]))
    if last - first < FEW_MONTHS:
        return alt.Axis(format="%-d %b %Y", tickCount=min(4, len(days)))
    for step in (1, 2, 3, 4, 6):
        if last - first <= 8 * step:
            months = alt.TimeIntervalStep(interval="month", step=step)
            return alt.Axis(format="%b %Y", tickCount=months)
    years = alt.TimeIntervalStep(interval="year", step=math.ceil((last - first) / 96))
    return alt.Axis(format="%b %Y", tickCount=years)


def times(rows: Rows) -> alt.Scale:
    """Return a scale of times."""
    return alt.Scale(type="utc", padding=14) if len(rows) > 1 else alt.Scale(type="utc")


def finished(layers: list[alt.Chart], title: str, note: str, width: int, height: int) -> Spec:
    """Return the spec of one panel of layers that fills its room."""
    fit = {"type": "fit", "contains": "padding"}
    panel = layered(*layers).properties(width=width, height=height, autosize=fit)
    return looked(panel, title, note, width)


def looked(
    chart: alt.LayerChart | alt.HConcatChart | alt.VConcatChart,
    title: str,
    note: str | None,
    width: int = WIDE,
) -> Spec:
    """Return a spec in the common look, with its finding and a note."""
    lines = textwrap.wrap(title, int(width / 8.6)) or [""]
    words = {"text": lines} if note is None else {"text": lines, "subtitle": note}
    spec: Spec = chart.properties(title=alt.TitleParams(**words)).to_dict(validate=False)
    return {**spec, "config": LOOK}


def extent(labels: list[str]) -> float:
    """Return the pixels that the names of rows need in any font.

    >>> extent(["a", "abc"])
    21.0
    """
    widths = (sum(CAPITAL if sign.isupper() else LETTER for sign in label) for label in labels)
    return max(widths, default=0.0)


def row_labels(labels: list[str], limit: int) -> alt.Y:
    """Return the axis of rows, numbered in ``place``, whose names take at most `limit` pixels."""
    return alt.Y(
        "place:O",
        title=None,
        axis=alt.Axis(
            ticks=False,
            domain=False,
            labelLimit=limit,
            minExtent=extent(labels),
            labelFontSize=12,
            labelColor=INK,
            labelPadding=8,
            labelExpr=f"{json.dumps(labels)}[datum.value]",
        ),
    )
