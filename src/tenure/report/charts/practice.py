"""Charts of what a list would have been worth in practice, and of other ways of testing."""

from __future__ import annotations

import altair as alt

from tenure.report.charts.look import (
    BLUE,
    GREY,
    INK,
    MUTED,
    ORANGE,
    WIDTH,
    Rows,
    Spec,
    chart,
    finished,
    layered,
    percents,
)


def lead_chart(steps: Rows, title: str) -> Spec:
    """Draw which share of the outcomes a list had pointed at, by the days before.

    Args:
        steps: days, share and n (outcomes that were watched that long).
        title: What it shows.
    """
    rows = [{**row, "said": f"{100 * row['share']:.0f}%"} for row in steps]
    most = min(1.0, max(row["share"] for row in rows) * 1.2 or 1.0)
    names = [row["days"] for row in rows]
    x = alt.X("days:O", title="Days before, at least", sort=names, axis=alt.Axis(labelAngle=0))
    y = alt.Y(
        "share:Q",
        title="Share pointed at by then",
        scale=alt.Scale(domain=[0, most]),
        axis=percents(),
    )
    base = chart(rows).encode(x=x, y=y)
    layers = [
        base.mark_bar(color=BLUE, width=30),
        base.mark_text(dy=-8).encode(text="said:N"),
    ]
    note = f"Of those that could be watched that long ({rows[-1]['n']:,} to {rows[0]['n']:,})"
    return finished(layered(*layers), title, note, WIDTH, 320)


def contrast_chart(ways: Rows, title: str) -> Spec:
    """Draw the AUC that several ways of testing give.

    Args:
        ways: way, value, lo, hi and honest (whether it is one to believe).
        title: What it shows.
    """
    rows = [{**row, "said": f"{row['value']:.2f}"} for row in ways]
    names = [row["way"] for row in rows]
    seen = [row[key] for row in rows for key in ("value", "lo", "hi") if row.get(key) is not None]
    scale = alt.Scale(domain=[min([0.5, *seen]) - 0.01, max(seen) + 0.02], nice=False)
    axis = alt.Axis(ticks=False, domain=False, labelLimit=220, labelFontSize=12, labelColor=INK)
    y = alt.Y("way:N", sort=names, title=None, axis=axis)
    x = alt.X("value:Q", title="AUC", scale=scale, axis=alt.Axis(format=".2f", tickCount=5))
    colour = alt.Color(
        "honest:N", legend=None, scale=alt.Scale(domain=[True, False], range=[BLUE, ORANGE])
    )
    base = chart(rows).encode(y=y)
    coin = chart([{"coin": 0.5}]).mark_rule(color=MUTED, strokeDash=[4, 4])
    layers = [
        coin.encode(x=alt.X("coin:Q", scale=scale)),
        base.mark_rule(color=GREY, strokeWidth=2).encode(x=alt.X("lo:Q"), x2=alt.X2("hi:Q")),
        base.mark_point(filled=True, opacity=1, size=80).encode(x=x, color=colour),
        base.mark_text(dy=-13, fontWeight=600).encode(x="value:Q", text="said:N"),
    ]
    note = "Orange: not to be believed; lines: 95% interval; dashed: chance"
    return finished(layered(*layers), title, note, WIDTH, 110 + 50 * len(rows))
