"""Charts of what a target came to."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import altair as alt

from tenure.report.charts.look import (
    BLUE,
    GREY,
    INK,
    MUTED,
    ORANGE,
    RULE,
    WIDE,
    WIDTH,
    Rows,
    Spec,
    chart,
    dates,
    extent,
    finished,
    layered,
    looked,
    percents,
    row_labels,
    span,
    times,
)


def reliability_chart(bins: Rows, title: str) -> Spec:
    """Draw predicted against observed rates; a perfectly calibrated model lies on the diagonal.

    Each of `bins` has n, mean_probability and observed_rate.
    """
    most = max(max(row["mean_probability"], row["observed_rate"]) for row in bins) * 1.08 or 1.0
    scale = alt.Scale(domain=[0, most], nice=False)
    line = chart([{"p": 0, "r": 0}, {"p": most, "r": most}]).mark_line(
        color=GREY, strokeDash=[4, 4], strokeWidth=1
    )
    x = alt.X("mean_probability:Q", title="Predicted probability", scale=scale, axis=percents())
    y = alt.Y("observed_rate:Q", title="Observed rate", scale=scale, axis=percents())
    base = chart(bins).encode(x=x, y=y)
    layers = [
        line.encode(x=alt.X("p:Q", scale=scale), y=alt.Y("r:Q", scale=scale)),
        base.mark_line(color=BLUE, strokeWidth=1.5),
        base.mark_point(filled=True, color=BLUE, opacity=1, size=55),
    ]
    each = span(bins)
    note = f"Each point is a tenth of the predictions ({each} rows); dashed: perfect"
    if len(bins) != 10:
        note = f"{len(bins)} bins of {each} rows; dashed: perfect"
    return finished(layers, title, note, WIDTH, 320)


def detection_chart(shares: Rows, title: str, events: str, scored: str = "highest") -> Spec:
    """Draw which share of the outcomes lists meet in time, beside lists in random order.

    Each of `shares` has share (of accounts on a list, 0–1), value, lo, hi (of the outcomes), chance
    (value in random order) and, where there is money, mrr (share of the MRR behind the outcomes);
    `scored` is the end of the ranking.
    """
    end = "Top" if scored == "highest" else "Lowest"
    rows = [{**row, "top": f"{end} {100 * row['share']:.0f}%"} for row in shares]
    names = [row["top"] for row in rows]
    tops = [max(row.get("hi") or row["value"], row.get("mrr") or 0, row["chance"]) for row in rows]
    most = min(1.0, 1.15 * max(tops) + 0.02)
    title_x = f"Accounts scored {scored} at each prediction time"
    x = alt.X("top:N", title=title_x, sort=names, axis=alt.Axis(labelAngle=0))
    scale = alt.Scale(domain=[0, most])
    y = alt.Y("value:Q", title=f"Share of distinct {events}", scale=scale, axis=percents())
    base = chart(rows).encode(x=x)
    layers = [
        base.mark_bar(color=BLUE, width=60).encode(y=y),
        base.mark_rule(color=INK, strokeWidth=1.5).encode(y=alt.Y("lo:Q", title=""), y2="hi:Q"),
        base.mark_tick(color=ORANGE, thickness=3, width=78).encode(y=alt.Y("chance:Q", title="")),
    ]
    note = "Orange: lists in random order; line: 95% interval"
    if any(row.get("mrr") is not None for row in rows):
        point = base.mark_point(shape="diamond", filled=True, color=INK, opacity=1, size=70)
        layers.append(point.encode(y=alt.Y("mrr:Q", title="")))
        note = "Orange: in random order; line: 95% interval; diamond: of their MRR"
    return finished(layers, title, note, WIDTH, 320)


def fold_chart(folds: Rows, pooled: Mapping[str, Any], title: str) -> Spec:
    """Draw the AUC (value, lo, hi) at each prediction time (as_of), with the pooled one behind."""
    seen = [row[key] for row in [*folds, pooled] for key in ("value", "lo", "hi") if row.get(key)]
    scale = alt.Scale(domain=[min([0.45, *seen]) - 0.01, max([0.6, *seen]) + 0.01], nice=False)
    y = alt.Y("value:Q", title="AUC", scale=scale, axis=alt.Axis(format=".2f", tickCount=6))
    x = alt.X("as_of:T", title="Prediction time", scale=times(folds), axis=dates(folds))
    base = chart(folds).encode(x=x)
    behind = chart([{**pooled, "half": 0.5}])
    layers = [
        behind.mark_rule(color=MUTED, strokeDash=[4, 4]).encode(y=alt.Y("half:Q", scale=scale)),
        behind.mark_rect(color=BLUE, opacity=0.12).encode(y="lo:Q", y2="hi:Q"),
        behind.mark_rule(color=BLUE, strokeWidth=1.5).encode(y="value:Q"),
        base.mark_rule(color=GREY, strokeWidth=1.5).encode(y="lo:Q", y2="hi:Q"),
        base.mark_point(filled=True, color=BLUE, opacity=1, size=50).encode(y=y),
    ]
    note = "Points: one prediction time and its 95% interval; band: pooled; dashed: chance"
    return finished(layers, title, note, WIDTH, 280)


def baseline_chart(gains: Rows, title: str) -> Spec:
    """Draw how much better the model is than each baseline.

    Each of `gains` has baseline, measure, value, lo, hi and side (``better``, ``even``, ``worse``).
    """
    measures = list(dict.fromkeys(row["measure"] for row in gains))
    names = list(dict.fromkeys(row["baseline"] for row in gains))
    panels = [
        _gains([row for row in gains if row["measure"] == measure], measure, names, place == 0)
        for place, measure in enumerate(measures)
    ]
    note = "Right of the dashed line the model is better; bars: 95% interval"
    return looked(alt.hconcat(*panels, spacing=18), title, note, WIDTH)


def _gains(rows: Rows, measure: str, names: list[str], first: bool) -> alt.LayerChart:
    axis = alt.Axis(
        ticks=False,
        domain=False,
        labelLimit=150,
        labelPadding=8,
        labels=first,
        minExtent=extent(names) if first else 0,
    )
    y = alt.Y("baseline:N", sort=names, title=None, axis=axis)
    colours = alt.Scale(domain=["better", "even", "worse"], range=[BLUE, MUTED, ORANGE])
    fine = alt.Axis(tickCount=4, labelExpr="format(datum.value, '.4~f')")
    x = alt.X("value:Q", title=measure, axis=fine)
    base = chart(rows).encode(y=y, color=alt.Color("side:N", legend=None, scale=colours))
    zero = chart([{"zero": 0}]).mark_rule(color=MUTED, strokeDash=[4, 4]).encode(x="zero:Q")
    points = base.mark_point(filled=True, opacity=1, size=60).encode(x=x)
    lines = base.mark_rule(strokeWidth=2).encode(x="lo:Q", x2="hi:Q")
    return layered(zero, lines, points).properties(width=165, height=34 * len(names))


def driver_chart(drivers: Rows, title: str) -> Spec:
    """Draw the strongest drivers: label, share (0–1) and lever (whether a team can act on it)."""
    kinds = ["Lever: a team can act on it", "Context: it cannot"]
    rows = [
        {
            "place": place,
            "label": textwrap.shorten(str(row["label"]), 64, placeholder=" …"),
            "share": row["share"],
            "text": f"{100 * row['share']:.0f}%",
            "kind": kinds[0 if row["lever"] else 1],
        }
        for place, row in enumerate(drivers)
    ]
    y = row_labels([row["label"] for row in rows], 430)
    most = max(row["share"] for row in rows) * 1.12 or 1.0
    x = alt.X(
        "share:Q",
        title="Share of what moves the scores (mean absolute contribution, log-odds)",
        scale=alt.Scale(domain=[0, most], nice=False),
        axis=percents(),
    )
    colour = alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[BLUE, GREY]))
    base = chart(rows).encode(x=x, y=y)
    layers = [
        base.mark_bar(height=16).encode(color=colour),
        base.mark_text(align="left", dx=5).encode(text="text:N"),
    ]
    note = "Associated with the outcome in this model; not its cause"
    return finished(layers, title, note, WIDE, 120 + 26 * len(rows))


def label_chart(cutoffs: Rows, title: str, event: str) -> Spec:
    """Draw the outcome rate and the counts behind it over prediction times.

    Each of `cutoffs` has as_of, snapshots, labelled and positives; `event` is the outcome in words.
    """
    rates = [
        {"as_of": row["as_of"], "rate": row["positives"] / row["labelled"]}
        for row in cutoffs
        if row["labelled"]
    ]
    kinds = ["outcome known", "not labelled"]
    counts = [
        {"as_of": row["as_of"], "kind": kind, "n": n}
        for row in cutoffs
        for kind, n in zip(
            kinds, (row["labelled"], row["snapshots"] - row["labelled"]), strict=True
        )
    ]
    x = alt.X("as_of:T", title=None, scale=times(cutoffs), axis=None)
    left = alt.Axis(minExtent=46, format="%", tickCount=4)
    rate = alt.Y("rate:Q", title=f"{event[:1].upper()}{event[1:]} rate", axis=left)
    line = chart(rates).encode(x=x, y=rate)
    upper = layered(
        line.mark_line(color=BLUE, strokeWidth=1.5),
        line.mark_point(filled=True, color=BLUE, opacity=1, size=32),
    ).properties(width=WIDE - 90, height=130)
    lower = (
        chart(counts)
        .mark_bar(width=max(3, min(18, 640 // max(len(cutoffs), 1))))
        .encode(
            x=alt.X("as_of:T", title="Prediction time", scale=times(cutoffs), axis=dates(cutoffs)),
            y=alt.Y("n:Q", title="Snapshots", axis=alt.Axis(minExtent=46, tickCount=3)),
            color=alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[GREY, RULE])),
            order=alt.Order("kind:N", sort="descending"),
        )
        .properties(width=WIDE - 90, height=80)
    )
    panels = alt.vconcat(upper, lower, spacing=10).resolve_scale(x="shared")
    return looked(panels, title, None)


def lead_chart(steps: Rows, title: str) -> Spec:
    """Draw which share of the outcomes a list had pointed at, by the days before.

    Each of `steps` has days, share and n (outcomes that were watched that long).
    """
    rows = [{**row, "text": f"{100 * row['share']:.0f}%"} for row in steps]
    most = min(1.0, max(row["share"] for row in rows) * 1.2 or 1.0)
    names = [row["days"] for row in rows]
    x = alt.X("days:O", title="Days before, at least", sort=names, axis=alt.Axis(labelAngle=0))
    scale = alt.Scale(domain=[0, most])
    y = alt.Y("share:Q", title="Share pointed at by then", scale=scale, axis=percents())
    base = chart(rows).encode(x=x, y=y)
    layers = [
        base.mark_bar(color=BLUE, width=30),
        base.mark_text(dy=-8).encode(text="text:N"),
    ]
    note = f"Of those that could be watched that long ({rows[-1]['n']:,} to {rows[0]['n']:,})"
    return finished(layers, title, note, WIDTH, 320)


def contrast_chart(ways: Rows, title: str) -> Spec:
    """Draw the AUC (value, lo, hi) of each way of testing, and whether it is honest."""
    rows = [{**row, "text": f"{row['value']:.2f}"} for row in ways]
    names = [row["way"] for row in rows]
    seen = [row[key] for row in rows for key in ("value", "lo", "hi") if row.get(key) is not None]
    scale = alt.Scale(domain=[min([0.5, *seen]) - 0.01, max(seen) + 0.02], nice=False)
    axis = alt.Axis(
        ticks=False,
        domain=False,
        labelLimit=220,
        labelFontSize=12,
        labelColor=INK,
        minExtent=extent(names),
    )
    y = alt.Y("way:N", sort=names, title=None, axis=axis)
    x = alt.X("value:Q", title="AUC", scale=scale, axis=alt.Axis(format=".2f", tickCount=5))
    colours = alt.Scale(domain=[True, False], range=[BLUE, ORANGE])
    colour = alt.Color("honest:N", legend=None, scale=colours)
    base = chart(rows).encode(y=y)
    coin = chart([{"coin": 0.5}]).mark_rule(color=MUTED, strokeDash=[4, 4])
    layers = [
        coin.encode(x=alt.X("coin:Q", scale=scale)),
        base.mark_rule(color=GREY, strokeWidth=2).encode(x="lo:Q", x2="hi:Q"),
        base.mark_point(filled=True, opacity=1, size=80).encode(x=x, color=colour),
        base.mark_text(dy=-13, fontWeight=600).encode(x="value:Q", text="text:N"),
    ]
    note = "Orange: not to be believed; lines: 95% interval; dashed: chance"
    return finished(layers, title, note, WIDTH, 110 + 50 * len(rows))
