"""Charts: rows and a spec in one look, drawn to SVG or PNG without a browser or a network.

A chart is a function from rows to a Vega-Lite spec; it computes no results.  To add one, write such
a function here and place it in `tenure.report.figures`.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import vl_convert

Rows = Sequence[Mapping[str, Any]]
Spec = dict[str, Any]

WIDTH, WIDE = 500, 1040
INK, MUTED, RULE, PAPER = "#1f2933", "#616e7c", "#d4dae1", "#ffffff"
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#9aa5b1"  # of Okabe and Ito's colour-blind safe set
FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
LOOK: Spec = {
    "aria": False,
    "font": FONT,
    "background": "transparent",
    "padding": {"left": 1, "right": 6, "top": 4, "bottom": 4},
    "view": {"stroke": None},
    "title": {
        "anchor": "start",
        "frame": "bounds",
        "color": INK,
        "fontSize": 14,
        "fontWeight": 600,
        "lineHeight": 18,
        "offset": 14,
        "subtitleColor": MUTED,
        "subtitleFontSize": 12,
        "subtitleLineHeight": 16,
        "subtitlePadding": 5,
    },
    "axis": {
        "labelColor": MUTED,
        "labelFontSize": 11,
        "titleColor": MUTED,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "domainColor": RULE,
        "tickColor": RULE,
        "grid": False,
        "labelFlush": False,
        "labelOverlap": True,
    },
    "legend": {
        "labelColor": INK,
        "labelFontSize": 11,
        "orient": "top",
        "title": None,
        "offset": 4,
        "padding": 0,
    },
    "text": {"color": INK, "fontSize": 11},
}


def reliability_chart(bins: Rows, title: str) -> Spec:
    """Draw predicted against observed rates; a perfectly calibrated model lies on the diagonal.

    Args:
        bins: n, mean_probability, observed_rate of each bin.
        title: What it shows.
    """
    most = max(max(row["mean_probability"], row["observed_rate"]) for row in bins) * 1.08 or 1.0
    rows = [dict(row) for row in bins]
    scale = alt.Scale(domain=[0, most], nice=False)
    line = _chart([{"p": 0, "r": 0}, {"p": most, "r": most}]).mark_line(
        color=GREY, strokeDash=[4, 4], strokeWidth=1
    )
    x = alt.X("mean_probability:Q", title="Predicted probability", scale=scale, axis=_percent())
    y = alt.Y("observed_rate:Q", title="Observed rate", scale=scale, axis=_percent())
    base = _chart(rows).encode(x=x, y=y)
    layers = [
        line.encode(x=alt.X("p:Q", scale=scale), y=alt.Y("r:Q", scale=scale)),
        base.mark_line(color=BLUE, strokeWidth=1.5),
        base.mark_point(filled=True, color=BLUE, opacity=1, size=55),
    ]
    counts = sorted({row["n"] for row in rows})
    each = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,}–{counts[-1]:,}"
    note = f"Each point is a tenth of the predictions ({each} rows); dashed: perfect"
    if len(rows) != 10:
        note = f"{len(rows)} bins of {each} rows; dashed: perfect"
    return _finish(_layer(*layers), title, note, WIDTH, 320)


def capture_chart(shares: Rows, title: str, events: str) -> Spec:
    """Draw which share of the outcomes the top of the list holds, beside a list in random order.

    Args:
        shares: share (of accounts, 0–1), value, lo, hi (of the outcomes), lift (multiple).
        title: What it shows.
        events: The outcomes in words.
    """
    rows = [
        {**row, "top": f"Top {100 * row['share']:.0f}%", "times": f"{row['lift']:.1f}×"}
        for row in shares
    ]
    names = [row["top"] for row in rows]
    most = min(1.0, 1.15 * max(row.get("hi") or row["value"] for row in rows) + 0.02)
    x = alt.X("top:N", title="Accounts scored highest", sort=names, axis=alt.Axis(labelAngle=0))
    y = alt.Y(
        "value:Q",
        title=f"Share of all {events}",
        scale=alt.Scale(domain=[0, most]),
        axis=_percent(),
    )
    base = _chart(rows).encode(x=x)
    layers = [
        base.mark_bar(color=BLUE, width=60).encode(y=y),
        base.mark_rule(color=INK, strokeWidth=1.5).encode(
            y=alt.Y("lo:Q", title=""), y2=alt.Y2("hi:Q")
        ),
        base.mark_tick(color=ORANGE, thickness=3, width=78).encode(y=alt.Y("share:Q", title="")),
        base.mark_text(dx=50, fontWeight=600, fontSize=13).encode(y="value:Q", text="times:N"),
    ]
    note = "Orange: a list in random order; line: 95% interval; ×: times the average"
    return _finish(_layer(*layers), title, note, WIDTH, 320)


def fold_chart(folds: Rows, pooled: Mapping[str, Any], title: str) -> Spec:
    """Draw the AUC at each prediction time, with the pooled one behind.

    Args:
        folds: as_of, value, lo, hi.
        pooled: value, lo, hi.
        title: What it shows.
    """
    rows = [dict(row) for row in folds]
    seen = [row[key] for row in [*rows, pooled] for key in ("value", "lo", "hi") if row.get(key)]
    scale = alt.Scale(domain=[min([0.45, *seen]) - 0.01, max([0.6, *seen]) + 0.01], nice=False)
    y = alt.Y("value:Q", title="AUC", scale=scale, axis=alt.Axis(format=".2f", tickCount=6))
    x = alt.X("as_of:T", title="Prediction time", scale=_times(rows), axis=_dates())
    base = _chart(rows).encode(x=x)
    behind = _chart([{**pooled, "half": 0.5}])
    layers = [
        behind.mark_rule(color=MUTED, strokeDash=[4, 4]).encode(y=alt.Y("half:Q", scale=scale)),
        behind.mark_rect(color=BLUE, opacity=0.12).encode(y=alt.Y("lo:Q"), y2=alt.Y2("hi:Q")),
        behind.mark_rule(color=BLUE, strokeWidth=1.5).encode(y="value:Q"),
        base.mark_rule(color=GREY, strokeWidth=1.5).encode(y=alt.Y("lo:Q"), y2=alt.Y2("hi:Q")),
        base.mark_point(filled=True, color=BLUE, opacity=1, size=50).encode(y=y),
    ]
    note = "Points: one prediction time and its 95% interval; band: pooled; dashed: chance"
    return _finish(_layer(*layers), title, note, WIDTH, 280)


def baseline_chart(gains: Rows, title: str) -> Spec:
    """Draw how much better the model is than each baseline.

    Args:
        gains: baseline, measure, value, lo, hi, side (``better``, ``even`` or ``worse``).
        title: What it shows.
    """
    measures = list(dict.fromkeys(row["measure"] for row in gains))
    names = list(dict.fromkeys(row["baseline"] for row in gains))
    panels = [
        _gains([row for row in gains if row["measure"] == measure], measure, names, place == 0)
        for place, measure in enumerate(measures)
    ]
    note = "Right of the dashed line the model is better; bars: 95% interval"
    return _look(alt.hconcat(*panels, spacing=18), title, note, WIDTH)


def _gains(rows: Rows, measure: str, names: list[str], first: bool) -> alt.LayerChart:
    axis = alt.Axis(ticks=False, domain=False, labelLimit=150, labelPadding=8, labels=first)
    y = alt.Y("baseline:N", sort=names, title=None, axis=axis)
    colour = alt.Color(
        "side:N",
        legend=None,
        scale=alt.Scale(domain=["better", "even", "worse"], range=[BLUE, MUTED, ORANGE]),
    )
    x = alt.X("value:Q", title=measure, axis=_fine())
    base = _chart([dict(row) for row in rows]).encode(y=y, color=colour)
    zero = _chart([{"zero": 0}]).mark_rule(color=MUTED, strokeDash=[4, 4]).encode(x="zero:Q")
    points = base.mark_point(filled=True, opacity=1, size=60).encode(x=x)
    lines = base.mark_rule(strokeWidth=2).encode(x=alt.X("lo:Q"), x2=alt.X2("hi:Q"))
    return _layer(zero, lines, points).properties(width=165, height=34 * len(names))


def driver_chart(drivers: Rows, title: str) -> Spec:
    """Draw the strongest drivers.

    Args:
        drivers: label, share (0–1), lever (whether a team can act on it); strongest first.
        title: What it shows.
    """
    rows = [
        {
            "place": place,
            "label": textwrap.shorten(str(row["label"]), 64, placeholder=" …"),
            "share": row["share"],
            "said": f"{100 * row['share']:.0f}%",
            "kind": "Lever: a team can act on it" if row["lever"] else "Context: it cannot",
        }
        for place, row in enumerate(drivers)
    ]
    kinds = ["Lever: a team can act on it", "Context: it cannot"]
    y = alt.Y(
        "place:O",
        title=None,
        axis=alt.Axis(
            ticks=False,
            domain=False,
            labelLimit=430,
            labelFontSize=12,
            labelColor=INK,
            labelPadding=8,
            labelExpr=f"{json.dumps([row['label'] for row in rows])}[datum.value]",
        ),
    )
    most = max(row["share"] for row in rows) * 1.12 or 1.0
    x = alt.X(
        "share:Q",
        title="Share of what moves the scores (mean absolute contribution, log-odds)",
        scale=alt.Scale(domain=[0, most], nice=False),
        axis=_percent(),
    )
    colour = alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[BLUE, GREY]))
    base = _chart(rows).encode(x=x, y=y)
    layers = [
        base.mark_bar(height=16).encode(color=colour),
        base.mark_text(align="left", dx=5).encode(text="said:N"),
    ]
    note = "Associated with the outcome in this model; not its cause"
    return _finish(_layer(*layers), title, note, WIDE, 120 + 26 * len(rows))


def label_chart(cutoffs: Rows, title: str, event: str) -> Spec:
    """Draw the outcome rate and the counts behind it over prediction times.

    Args:
        cutoffs: as_of, snapshots, labelled, positives.
        title: What it shows.
        event: The outcome in words.
    """
    rows = [
        {
            "as_of": row["as_of"],
            "rate": row["positives"] / row["labelled"] if row["labelled"] else None,
            "positives": row["positives"],
            "labelled": row["labelled"],
            "unlabelled": row["snapshots"] - row["labelled"],
        }
        for row in cutoffs
    ]
    kinds = ["outcome known", "not labelled"]
    counts = [
        {"as_of": row["as_of"], "kind": kind, "n": row[name]}
        for row in rows
        for kind, name in zip(kinds, ("labelled", "unlabelled"), strict=True)
    ]
    x = alt.X("as_of:T", title=None, scale=_times(rows), axis=None)
    left = alt.Axis(minExtent=46, format="%", tickCount=4)
    rate = alt.Y("rate:Q", title=f"{event[:1].upper()}{event[1:]} rate", axis=left)
    line = _chart([row for row in rows if row["rate"] is not None]).encode(x=x, y=rate)
    upper = _layer(
        line.mark_line(color=BLUE, strokeWidth=1.5),
        line.mark_point(filled=True, color=BLUE, opacity=1, size=32),
    ).properties(width=WIDE - 90, height=130)
    lower = (
        _chart(counts)
        .mark_bar(width=max(3, min(18, 640 // max(len(rows), 1))))
        .encode(
            x=alt.X("as_of:T", title="Prediction time", scale=_times(rows), axis=_dates()),
            y=alt.Y("n:Q", title="Snapshots", axis=alt.Axis(minExtent=46, tickCount=3)),
            color=alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[GREY, RULE])),
            order=alt.Order("kind:N", sort="descending"),
        )
        .properties(width=WIDE - 90, height=80)
    )
    panels = alt.vconcat(upper, lower, spacing=10).resolve_scale(x="shared")
    return _look(panels, title, None)


def to_svg(spec: Spec, name: str = "chart") -> str:
    """Return a spec as an SVG picture that can stand inside a page.

    Args:
        spec: From one of the charts.
        name: Made part of the ids inside, which must differ between charts of one page.
    """
    safe = re.sub(r"[^A-Za-z0-9-]", "-", name)

    def tag(found: re.Match[str]) -> str:
        text = re.sub(r' (?:aria-[a-z]+|role|pointer-events|xmlns:xlink)="[^"]*"', "", found[0])
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


def _chart(rows: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.Data(values=rows))


def _layer(*charts: alt.Chart) -> alt.LayerChart:
    layered = alt.layer(*charts)
    assert isinstance(layered, alt.LayerChart)
    return layered


def _percent() -> alt.Axis:
    return alt.Axis(format="~%", tickCount=5)


def _fine() -> alt.Axis:
    return alt.Axis(tickCount=4, labelExpr="format(datum.value, '.4~f')")


def _dates() -> alt.Axis:
    return alt.Axis(format="%b %Y", tickCount=8)


def _times(rows: Rows) -> alt.Scale:
    return alt.Scale(type="utc", padding=14) if len(rows) > 1 else alt.Scale(type="utc")


def _finish(chart: alt.LayerChart, title: str, note: str, width: int, height: int) -> Spec:
    fit = {"type": "fit", "contains": "padding"}
    return _look(chart.properties(width=width, height=height, autosize=fit), title, note, width)


def _look(
    chart: alt.LayerChart | alt.HConcatChart | alt.VConcatChart,
    title: str,
    note: str | None,
    width: int = WIDE,
) -> Spec:
    lines = textwrap.wrap(title, width // 8) or [""]
    words = {"text": lines} if note is None else {"text": lines, "subtitle": note}
    spec: Spec = chart.properties(title=alt.TitleParams(**words)).to_dict(validate=False)
    return {**spec, "config": LOOK}
