"""Charts of scores: the drivers of one account, the risk bands, and how a feature moves scores."""

from __future__ import annotations

import textwrap

import altair as alt

from tenure.report.charts.look import (
    BLUE,
    GREY,
    MUTED,
    ORANGE,
    WIDE,
    WIDTH,
    Rows,
    Spec,
    chart,
    finished,
    layered,
    looked,
    row_labels,
    span,
)

KINDS = {"raises": ORANGE, "lowers": BLUE, "all others": GREY}
BANDS = ("high", "medium", "low")


def contribution_chart(drivers: Rows, title: str, note: str) -> Spec:
    """Draw what moves one account's score, in log-odds.

    Each of `drivers` has label, value (put behind it), contribution and kind (of `KINDS`); they
    are shown in their order.
    """
    rows = [
        {
            "place": place,
            "label": textwrap.shorten(row["label"], 60, placeholder=" …") + row["value"],
            "contribution": row["contribution"],
            "text": f"{row['contribution']:+.2f}".replace("-", "−"),
            "kind": row["kind"],
            "align": "left" if row["contribution"] >= 0 else "right",
        }
        for place, row in enumerate(drivers)
    ]
    y = row_labels([row["label"] for row in rows], 460)
    most = 1.25 * max(abs(row["contribution"]) for row in rows) or 1.0
    scale = alt.Scale(domain=[-most, most], nice=False)
    axis = alt.Axis(format="+.1~f", tickCount=5)
    x = alt.X("contribution:Q", title="Contribution (log-odds)", scale=scale, axis=axis)
    present = [kind for kind in KINDS if any(row["kind"] == kind for row in rows)]
    colours = alt.Scale(domain=present, range=[KINDS[kind] for kind in present])
    base = chart(rows).encode(x=x, y=y)
    layers = [
        base.mark_bar(height=16).encode(color=alt.Color("kind:N", scale=colours)),
        chart([{"zero": 0}]).mark_rule(color=MUTED).encode(x=alt.X("zero:Q", scale=scale)),
        *(
            base.mark_text(align=side, dx=5 if side == "left" else -5)
            .encode(text="text:N")
            .transform_filter(alt.datum.align == side)
            for side in ("left", "right")
        ),
    ]
    return finished(layers, title, note, WIDE, 110 + 26 * len(rows))


def band_chart(bands: Rows, title: str) -> Spec:
    """Draw how many accounts each risk band holds, and the MRR at risk in it.

    Each of `bands` has band, accounts and mrr_at_risk (money per month).
    """
    measures = (("accounts", "Accounts"), ("mrr_at_risk", "MRR at risk"))
    panels = [_bands(bands, name, words) for name, words in measures]
    note = "MRR at risk: probability of churn × MRR, in the currency of each account"
    return looked(alt.hconcat(*panels, spacing=24), title, note, WIDTH)


def _bands(bands: Rows, name: str, title: str) -> alt.LayerChart:
    rows = [{"band": row["band"], "n": row[name], "text": f"{row[name]:,.0f}"} for row in bands]
    order = [band for band in BANDS if any(row["band"] == band for row in rows)]
    y = alt.Y("band:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False))
    scale = alt.Scale(domain=[0, 1.3 * max(row["n"] for row in rows) or 1.0], nice=False)
    x = alt.X("n:Q", title=title, scale=scale, axis=alt.Axis(format="~s", tickCount=4))
    colours = alt.Scale(domain=list(BANDS), range=[ORANGE, BLUE, GREY])
    base = chart(rows).encode(x=x, y=y)
    return layered(
        base.mark_bar(height=20).encode(color=alt.Color("band:N", scale=colours, legend=None)),
        base.mark_text(align="left", dx=5).encode(text="text:N"),
    ).properties(width=WIDTH // 2 - 60, height=34 * len(order))


def effect_chart(points: Rows, title: str, feature: str, form: str = ",~f") -> Spec:
    """Draw how the values of a feature move the scores of the book.

    Each of `points` has value (a number, or words), mean, lo, hi (log-odds) and n (accounts);
    `form` is the format of its numbers.
    """
    words = any(isinstance(row["value"], str) for row in points)
    order = [row["value"] for row in points] if words else None
    x = alt.X(
        f"value:{'N' if words else 'Q'}",
        title=textwrap.shorten(feature, 80, placeholder=" …"),
        sort=order,
        scale=alt.Undefined if words else alt.Scale(zero=False),
        axis=alt.Axis(labelAngle=0) if words else alt.Axis(tickCount=8, format=form),
    )
    axis = alt.Axis(format="+.1~f", tickCount=5)
    y = alt.Y("mean:Q", title="Contribution (log-odds)", axis=axis)
    base = chart(points).encode(x=x)
    spread = base.mark_rule(color=GREY, strokeWidth=1.5)
    layers = [
        chart([{"zero": 0}]).mark_rule(color=MUTED, strokeDash=[4, 4]).encode(y="zero:Q"),
        spread.encode(y=alt.Y("lo:Q", title=""), y2="hi:Q"),
        *([] if words else [base.mark_line(color=BLUE, strokeWidth=1.5).encode(y=y)]),
        base.mark_point(filled=True, color=BLUE, opacity=1, size=50).encode(y=y),
    ]
    each = span(points)
    note = f"Points: means of {each} accounts; lines: 80% of them; above 0: raises"
    return finished(layers, title, note, WIDTH, 300)
