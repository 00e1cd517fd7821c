"""Charts of forecasts: what is expected, with its interval, and errors beside plain rates."""

from __future__ import annotations

import textwrap

import altair as alt

from tenure.report.charts.look import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    WIDTH,
    Rows,
    Spec,
    chart,
    finished,
    row_labels,
)

ROW, ROOM = 30, 110
"""Pixels of a row, and of what stands above and below all of them."""
MOST_LABEL = 190


def interval_chart(rows: Rows, title: str, note: str, axis_title: str, form: str) -> Spec:
    """Draw expected values with their intervals, row by row.

    Each of `rows` has label, value, lo, hi and text (the value in words); `form` is the format of
    the axis.
    """
    placed = [
        {**row, "place": place, "label": textwrap.shorten(row["label"], 32, placeholder=" …")}
        for place, row in enumerate(rows)
    ]
    y = row_labels([row["label"] for row in placed], MOST_LABEL)
    x = alt.X(
        "value:Q",
        title=axis_title,
        scale=alt.Scale(zero=False, padding=18),
        axis=alt.Axis(format=form, tickCount=4, labelFlush=True),
    )
    base = chart(placed).encode(y=y)
    layers = [
        base.mark_rule(color=GREY, strokeWidth=3).encode(x="lo:Q", x2="hi:Q"),
        base.mark_point(filled=True, color=BLUE, opacity=1, size=70).encode(x=x),
        base.mark_text(dy=-11, color=INK).encode(x="value:Q", text="text:N"),
    ]
    return finished(layers, title, note, WIDTH, ROOM + ROW * len(placed))


def error_chart(rows: Rows, title: str, kinds: list[str]) -> Spec:
    """Draw the mean absolute errors of forecasts beside those of plain rates.

    Each of `rows` has label (the figure), kind (of `kinds`, the forecast first) and error (a
    share).
    """
    labels = list(dict.fromkeys(row["label"] for row in rows))
    placed = [{**row, "place": labels.index(row["label"])} for row in rows]
    y = row_labels(labels, MOST_LABEL)
    x = alt.X(
        "error:Q",
        title="Mean absolute error",
        scale=alt.Scale(zero=True),
        axis=alt.Axis(format=".1%", tickCount=4, labelFlush=True),
    )
    colours = alt.Scale(domain=kinds, range=[BLUE, ORANGE, GREY][: len(kinds)])
    shapes = alt.Scale(domain=kinds, range=["circle", "diamond", "square"][: len(kinds)])
    base = chart(placed).encode(y=y)
    layers = [
        base.mark_point(filled=True, opacity=1, size=75).encode(
            x=x,
            color=alt.Color("kind:N", scale=colours),
            shape=alt.Shape("kind:N", scale=shapes),
        )
    ]
    note = "Further left is better; amounts of MRR are shares of the MRR at the start"
    return finished(layers, title, note, WIDTH, ROOM + ROW * len(labels))
