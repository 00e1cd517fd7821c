"""The figures of a report: from a training record to charts, each with its finding in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenure.report.sentences import findings
from tenure.report.sentences.list_end import list_end
from tenure.report.sentences.words import Outcome, baseline, counted, day, known, number, percent

Entry = Mapping[str, Any]
Rows = list[dict[str, Any]]

SHARES = (5, 10, 20)
MOST_DRIVERS = 10
MEASURES = {"auc": "AUC gain", "log_loss": "Log loss gain"}


@dataclass(frozen=True)
class Figure:
    """A drawn chart.

    Attributes:
        svg: The picture.
        text: What it shows, for those who cannot see it.
    """

    svg: str
    text: str


def target_figures(outcome: Outcome, entry: Entry) -> dict[str, Figure]:
    """Draw what a target's part of the training record allows.

    Returns:
        Of ``calibration``, ``capture``, ``lead``, ``folds``, ``baselines``, ``contrast``,
        ``drivers`` and ``labels`` those for which there is something to draw.
    """
    drawn = {
        "calibration": _calibration(entry),
        "capture": _capture(outcome, entry),
        "lead": _lead(outcome, entry),
        "folds": _folds(entry),
        "baselines": _baselines(entry),
        "contrast": _contrast(entry),
        "drivers": _drivers(outcome, entry),
        "labels": _labels(outcome, entry),
    }
    return {
        name: Figure(_svg(chart, f"{outcome.name}-{name}"), text)
        for name, (chart, text) in drawn.items()
        if chart is not None
    }


def _svg(chart: dict[str, Any], name: str) -> str:
    from tenure.report.charts import to_svg

    return to_svg(chart, name)


Drawn = tuple[dict[str, Any] | None, str]
NOTHING: Drawn = (None, "")


def _calibration(entry: Entry) -> Drawn:
    from tenure.report.charts import reliability_chart

    bins = (entry.get("evaluation") or {}).get("reliability") or []
    if not bins:
        return NOTHING
    error = (findings.pooled(entry).get("calibration_error") or {}).get("value")
    title = "Predicted and observed rates"
    if known(error):
        points = number(100 * error, 1)
        title = f"Predicted and observed rates differ by {points} points on average"
    said = "; ".join(
        f"predicted {percent(row['mean_probability'], 1)}, "
        f"observed {percent(row['observed_rate'], 1)}"
        for row in bins
    )
    return reliability_chart(bins, title), f"{title}. {said}."


def _capture(outcome: Outcome, entry: Entry) -> Drawn:
    from tenure.report.charts import capture_chart

    end = list_end(outcome, entry)
    figures = end.figures
    rows: Rows = []
    for share in SHARES:
        capture = figures.get(f"capture_at_{share}") or {}
        if known(capture.get("value")):
            lift = capture["value"] * 100 / share
            mrr = (figures.get(f"mrr_capture_at_{share}") or {}).get("value")
            rows.append({"share": share / 100, "lift": lift, "mrr": mrr, **_interval(capture)})
    if not rows:
        return NOTHING
    middle = rows[len(rows) // 2]
    held = f"{percent(middle['value'])} of the {end.events}"
    title = f"The {percent(middle['share'])} scored {end.scored} hold {held}"
    said = "; ".join(
        f"{end.scored} {percent(row['share'], 0)} of accounts: {percent(row['value'])} of "
        f"{end.events}, "
        f"{number(row['lift'], 1)} times the average"
        for row in rows
    )
    return capture_chart(rows, title, end.events, end.scored), f"{title}. {said}."


def _lead(outcome: Outcome, entry: Entry) -> Drawn:
    from tenure.report.charts import lead_chart

    found = (entry.get("evaluation") or {}).get("lead_time") or {}
    curve = [row for row in found.get("curve") or [] if row.get("n")]
    longest = max((row["days"] for row in curve if row["share"] > 0), default=0)
    steps = [row for row in curve if row["days"] <= longest]
    if not steps or list_end(outcome, entry).lowest:
        return NOTHING
    title = f"How long before the {outcome.event} the list pointed at the account"
    said = "; ".join(
        f"at least {counted(row['days'], 'day')}: {percent(row['share'])} of {row['n']:,}"
        for row in steps
    )
    return lead_chart(steps, title), f"{title}. {said}."


def _contrast(entry: Entry) -> Drawn:
    from tenure.report.charts import contrast_chart

    found = (entry.get("evaluation") or {}).get("contrast") or {}
    split, unseen = found.get("random_split") or {}, found.get("new_accounts") or {}
    if not split:
        return NOTHING
    ways: Rows = [
        {"way": "Random split of rows", "honest": False, **_interval(split["auc"])},
        {"way": "Forward in time", "honest": True, **_interval(split["walk"]["auc"])},
    ]
    if unseen:
        ways.append({"way": "Accounts never seen", "honest": True, **_interval(unseen["auc"])})
    title = "The same recipe, tested in other ways"
    said = "; ".join(f"{row['way']} {number(row['value'], 2)}" for row in ways)
    return contrast_chart(ways, title), f"{title}. AUC: {said}."


def _folds(entry: Entry) -> Drawn:
    from tenure.report.charts import fold_chart

    rows = [
        {"as_of": day(fold.get("as_of")), **_interval(fold.get("auc") or {})}
        for fold in (entry.get("evaluation") or {}).get("folds") or []
    ]
    rows = [row for row in rows if known(row["value"])]
    pooled = _interval(findings.pooled(entry).get("auc") or {})
    if not rows or not known(pooled["value"]):
        return NOTHING
    low = min(rows, key=lambda row: float(row["value"]))
    high = max(rows, key=lambda row: float(row["value"]))
    title = f"AUC {number(pooled['value'], 2)} over {counted(len(rows), 'prediction time')}"
    text = (
        f"{title}. Lowest {number(low['value'], 2)} at {low['as_of']}, highest "
        f"{number(high['value'], 2)} at {high['as_of']}."
    )
    if len(rows) > 1:
        title += f", from {number(low['value'], 2)} to {number(high['value'], 2)}"
    return fold_chart(rows, pooled, title), text


def _baselines(entry: Entry) -> Drawn:
    from tenure.report.charts import baseline_chart

    differences = findings.by_baseline(entry, "differences")
    rows: Rows = [
        {
            "baseline": baseline(name),
            "measure": words,
            **_interval(gains[key]),
            "side": _side(gains[key]),
        }
        for key, words in MEASURES.items()
        for name, gains in differences.items()
        if known((gains.get(key) or {}).get("value"))
    ]
    if not rows:
        return NOTHING
    names = list(dict.fromkeys(row["baseline"] for row in rows))
    won = [
        name for name in names if all(r["side"] == "better" for r in rows if r["baseline"] == name)
    ]
    title = f"Clearly better than {len(won)} of {counted(len(names), 'baseline')}"
    said = "; ".join(
        f"{row['measure']} over {row['baseline']} {number(row['value'], 4)}" for row in rows
    )
    return baseline_chart(rows, title), f"{title}. {said}."


def _side(gain: Mapping[str, Any]) -> str:
    if known(gain.get("lo")) and gain["lo"] > 0:
        return "better"
    return "worse" if known(gain.get("hi")) and gain["hi"] < 0 else "even"


def _drivers(outcome: Outcome, entry: Entry) -> Drawn:
    from tenure.report.charts import driver_chart

    rows = [dict(row) for row in (entry.get("drivers") or [])[:MOST_DRIVERS] if row.get("share")]
    if not rows:
        return NOTHING
    title = findings.driver_finding(outcome, rows)
    said = "; ".join(f"{row['label']} {percent(row['share'], 0)}" for row in rows)
    return driver_chart(rows, title), f"{title}. {said}."


def _labels(outcome: Outcome, entry: Entry) -> Drawn:
    from tenure.report.charts import label_chart

    rows = (entry.get("labels") or {}).get("by_cutoff") or []
    rates = [row["positives"] / row["labelled"] for row in rows if row["labelled"]]
    if not rates:
        return NOTHING
    within = f"of accounts {outcome.happened} {outcome.window} of a prediction time"
    if outcome.gap_days:
        within = f"of accounts {outcome.happened} {outcome.window} after a prediction time"
    title = f"Between {percent(min(rates))} and {percent(max(rates))} {within}"
    if len(rates) == 1:
        title = f"{percent(rates[0])} {within}"
    text = f"{title}; {counted(len(rows), 'prediction time')}, {len(rates)} with a known outcome."
    return label_chart(rows, title, outcome.event), text


def _interval(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: found.get(key) for key in ("value", "lo", "hi")}
