"""The charts of a target: from its training record to pictures, each with its finding in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tenure.report.charts import target as draw
from tenure.report.charts.look import to_svg
from tenure.report.sentences import findings
from tenure.report.sentences.formatting import counted, day, number, percent
from tenure.report.sentences.names import baseline
from tenure.report.sentences.outcome import Outcome
from tenure.report.sentences.practice import by_chance, detections

Rows = list[dict[str, Any]]
Drawing = tuple[dict[str, Any], str] | None


@dataclass(frozen=True)
class Chart:
    """A drawn chart: its picture, and what it shows for those who cannot see it."""

    svg: str
    text: str


def target_charts(outcome: Outcome) -> dict[str, Chart]:
    """Return the pictures of what `target_specs` gives, by name."""
    return {
        name: Chart(to_svg(spec, f"{outcome.name}-{name}"), text)
        for name, (spec, text) in target_specs(outcome).items()
    }


def target_specs(outcome: Outcome) -> dict[str, tuple[dict[str, Any], str]]:
    """Return the specs of a target's charts, each with what it shows in words.

    Returns:
        Of ``calibration``, ``detection``, ``lead``, ``folds``, ``baselines``, ``contrast``,
        ``drivers`` and ``labels`` those for which there is something to draw.
    """
    drawings = {name: drawing(outcome) for name, drawing in DRAWN.items()}
    return {name: drawn for name, drawn in drawings.items() if drawn is not None}


def _drawn(spec: dict[str, Any], title: str, parts: Iterable[str]) -> Drawing:
    return spec, f"{title}. {'; '.join(parts)}."


def _calibration(outcome: Outcome) -> Drawing:
    bins = outcome.evaluation.reliability
    if not bins:
        return None
    error = outcome.evaluation.pooled.calibration_error.value
    title = "Predicted and observed rates"
    if error is not None:
        title += f" differ by {number(100 * error, 1)} points on average"
    parts = (
        f"predicted {percent(row.mean_probability, 1)}, observed {percent(row.observed_rate, 1)}"
        for row in bins
    )
    return _drawn(draw.reliability_chart([row.model_dump() for row in bins], title), title, parts)


def _detection(outcome: Outcome) -> Drawing:
    end = outcome.end
    rows: Rows = [
        {
            "share": share / 100,
            "chance": by_chance(end.metrics, share),
            "mrr": end.metrics.figure(f"mrr_detection_at_{share}").value,
            **figure.model_dump(),
        }
        for share, figure in detections(end.metrics).items()
    ]
    if not rows:
        return None
    middle = rows[len(rows) // 2]
    met = f"{percent(middle['value'])} of the {end.events} in time"
    title = f"Lists of the {percent(middle['share'])} scored {end.scored} meet {met}"
    parts = (
        f"lists of {percent(row['share'], 0)} of accounts: {percent(row['value'])} of "
        f"{end.events}, in random order {percent(row['chance'])}"
        for row in rows
    )
    return _drawn(draw.detection_chart(rows, title, end.events, end.scored), title, parts)


def _lead(outcome: Outcome) -> Drawing:
    leads = outcome.evaluation.lead_time
    curve = leads.curve if leads else ()
    longest = max((row.days for row in curve if row.share > 0), default=0)
    steps = [row for row in curve if row.days <= longest]
    if not steps or outcome.end.lowest:
        return None
    title = f"How long before the {outcome.event} the list pointed at the account"
    parts = (
        f"at least {counted(row.days, 'day')}: {percent(row.share)} of {row.n:,}" for row in steps
    )
    return _drawn(draw.lead_chart([row.model_dump() for row in steps], title), title, parts)


def _contrast(outcome: Outcome) -> Drawing:
    contrast = outcome.evaluation.contrast
    if contrast is None or contrast.random_split is None:
        return None
    split, unseen = contrast.random_split, contrast.new_accounts
    ways: Rows = [
        {"way": "Random split of rows", "honest": False, **split.auc.model_dump()},
        {"way": "Forward in time", "honest": True, **split.walk.auc.model_dump()},
    ]
    if unseen is not None:
        ways.append({"way": "Accounts never seen", "honest": True, **unseen.auc.model_dump()})
    title = "The same recipe, tested in other ways"
    text = "; ".join(f"{row['way']} {number(row['value'], 2)}" for row in ways)
    return draw.contrast_chart(ways, title), f"{title}. AUC: {text}."


def _folds(outcome: Outcome) -> Drawing:
    rows: Rows = [
        {"as_of": day(fold.as_of), **fold.auc.model_dump()}
        for fold in outcome.evaluation.folds
        if fold.auc.value is not None
    ]
    pooled = outcome.evaluation.pooled.auc
    if not rows or pooled.value is None:
        return None
    low, high = (end(rows, key=lambda row: float(row["value"])) for end in (min, max))
    title = f"AUC {number(pooled.value, 2)} over {counted(len(rows), 'prediction time')}"
    text = (
        f"{title}. Lowest {number(low['value'], 2)} at {low['as_of']}, highest "
        f"{number(high['value'], 2)} at {high['as_of']}."
    )
    if len(rows) > 1:
        title += f", from {number(low['value'], 2)} to {number(high['value'], 2)}"
    return draw.fold_chart(rows, pooled.model_dump(), title), text


def _baselines(outcome: Outcome) -> Drawing:
    rows: Rows = [
        {
            "baseline": baseline(name),
            "measure": measure,
            **gain.model_dump(),
            "side": "better" if gain.above else "worse" if gain.below else "even",
        }
        for measure, key in (("AUC gain", "auc"), ("Log loss gain", "log_loss"))
        for name, gains in findings.differences(outcome.evaluation).items()
        if (gain := getattr(gains, key)).value is not None
    ]
    if not rows:
        return None
    names = list(dict.fromkeys(row["baseline"] for row in rows))
    lost = {row["baseline"] for row in rows if row["side"] != "better"}
    title = f"Clearly better than {len(names) - len(lost)} of {counted(len(names), 'baseline')}"
    parts = (f"{row['measure']} over {row['baseline']} {number(row['value'], 4)}" for row in rows)
    return _drawn(draw.baseline_chart(rows, title), title, parts)


def _drivers(outcome: Outcome) -> Drawing:
    drivers = [row for row in outcome.target.drivers[:10] if row.share]
    if not drivers:
        return None
    title = findings.driver_finding(outcome, drivers)
    parts = (f"{row.label} {percent(row.share, 0)}" for row in drivers)
    return _drawn(draw.driver_chart([row.model_dump() for row in drivers], title), title, parts)


def _labels(outcome: Outcome) -> Drawing:
    cutoffs = outcome.target.labels.by_cutoff
    rates = [row.positives / row.labelled for row in cutoffs if row.labelled]
    if not rates:
        return None
    when = "after" if outcome.target.gap_days else "of"
    within = f"of accounts {outcome.happened} {outcome.window} {when} a prediction time"
    title = f"Between {percent(min(rates))} and {percent(max(rates))} {within}"
    if len(rates) == 1:
        title = f"{percent(rates[0])} {within}"
    if not max(rates):
        title = f"No account {within.partition(' accounts ')[2]}"
    times = counted(len(cutoffs), "prediction time")
    text = f"{title}; {times}, {len(rates)} with a known outcome."
    return draw.label_chart([row.model_dump() for row in cutoffs], title, outcome.event), text


DRAWN: dict[str, Callable[[Outcome], Drawing]] = {
    "calibration": _calibration,
    "detection": _detection,
    "lead": _lead,
    "folds": _folds,
    "baselines": _baselines,
    "contrast": _contrast,
    "drivers": _drivers,
    "labels": _labels,
}
