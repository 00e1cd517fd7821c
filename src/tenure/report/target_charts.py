"""The charts of a target: from its training record to pictures, each with its finding in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenure.core.records.base import Figure
from tenure.core.records.evaluation import Evaluation
from tenure.core.records.training import LabelSummary, TargetRecord
from tenure.report.sentences import findings
from tenure.report.sentences.formatting import counted, day, number, percent
from tenure.report.sentences.names import baseline
from tenure.report.sentences.outcome import Outcome
from tenure.report.sentences.practice import captures
from tenure.report.sentences.ranking import ranking_end

Rows = list[dict[str, Any]]
Drawing = tuple[dict[str, Any] | None, str]

MOST_DRIVERS = 10
NOTHING: Drawing = (None, "")


@dataclass(frozen=True)
class Chart:
    """A drawn chart.

    Attributes:
        svg: The picture.
        text: What it shows, for those who cannot see it.
    """

    svg: str
    text: str


def target_charts(outcome: Outcome, target: TargetRecord) -> dict[str, Chart]:
    """Draw what a target's part of the training record allows; see `target_specs`."""
    from tenure.report.charts import to_svg

    return {
        name: Chart(to_svg(spec, f"{outcome.name}-{name}"), text)
        for name, (spec, text) in target_specs(outcome, target).items()
    }


def target_specs(outcome: Outcome, target: TargetRecord) -> dict[str, tuple[dict[str, Any], str]]:
    """Return the specs of a target's charts, each with what it shows in words.

    Returns:
        Of ``calibration``, ``capture``, ``lead``, ``folds``, ``baselines``, ``contrast``,
        ``drivers`` and ``labels`` those for which there is something to draw.
    """
    drawings = {
        "calibration": _calibration(target.evaluation),
        "capture": _capture(outcome, target),
        "lead": _lead(outcome, target),
        "folds": _folds(target.evaluation),
        "baselines": _baselines(target.evaluation),
        "contrast": _contrast(target.evaluation),
        "drivers": _drivers(outcome, target),
        "labels": _labels(outcome, target.labels),
    }
    return {name: (spec, text) for name, (spec, text) in drawings.items() if spec is not None}


def _calibration(evaluation: Evaluation) -> Drawing:
    from tenure.report.charts import reliability_chart

    bins = [row.model_dump() for row in evaluation.reliability]
    if not bins:
        return NOTHING
    error = evaluation.pooled.calibration_error.value
    title = "Predicted and observed rates"
    if error is not None:
        title += f" differ by {number(100 * error, 1)} points on average"
    text = "; ".join(
        f"predicted {percent(row.mean_probability, 1)}, observed {percent(row.observed_rate, 1)}"
        for row in evaluation.reliability
    )
    return reliability_chart(bins, title), f"{title}. {text}."


def _capture(outcome: Outcome, target: TargetRecord) -> Drawing:
    from tenure.report.charts import capture_chart

    end = ranking_end(outcome, target)
    money = {
        5: end.metrics.mrr_capture_at_5,
        10: end.metrics.mrr_capture_at_10,
        20: end.metrics.mrr_capture_at_20,
    }
    rows: Rows = [
        {
            "share": share / 100,
            "lift": figure.value * 100 / share,
            "mrr": money[share].value,
            **figure.model_dump(),
        }
        for share, figure in captures(end.metrics).items()
        if figure.value is not None
    ]
    if not rows:
        return NOTHING
    middle = rows[len(rows) // 2]
    holds = f"{percent(middle['value'])} of the {end.events}"
    title = f"The {percent(middle['share'])} scored {end.scored} hold {holds}"
    text = "; ".join(
        f"{end.scored} {percent(row['share'], 0)} of accounts: {percent(row['value'])} of "
        f"{end.events}, {number(row['lift'], 1)} times the average"
        for row in rows
    )
    return capture_chart(rows, title, end.events, end.scored), f"{title}. {text}."


def _lead(outcome: Outcome, target: TargetRecord) -> Drawing:
    from tenure.report.charts import lead_chart

    leads = target.evaluation.lead_time
    curve = leads.curve if leads else ()
    longest = max((row.days for row in curve if row.share > 0), default=0)
    steps = [row for row in curve if row.days <= longest]
    if not steps or ranking_end(outcome, target).lowest:
        return NOTHING
    title = f"How long before the {outcome.event} the list pointed at the account"
    text = "; ".join(
        f"at least {counted(row.days, 'day')}: {percent(row.share)} of {row.n:,}" for row in steps
    )
    return lead_chart([row.model_dump() for row in steps], title), f"{title}. {text}."


def _contrast(evaluation: Evaluation) -> Drawing:
    from tenure.report.charts import contrast_chart

    contrast = evaluation.contrast
    if contrast is None or contrast.random_split is None:
        return NOTHING
    split, unseen = contrast.random_split, contrast.new_accounts
    ways: Rows = [
        {"way": "Random split of rows", "honest": False, **split.auc.model_dump()},
        {"way": "Forward in time", "honest": True, **split.walk.auc.model_dump()},
    ]
    if unseen is not None:
        ways.append({"way": "Accounts never seen", "honest": True, **unseen.auc.model_dump()})
    title = "The same recipe, tested in other ways"
    text = "; ".join(f"{row['way']} {number(row['value'], 2)}" for row in ways)
    return contrast_chart(ways, title), f"{title}. AUC: {text}."


def _folds(evaluation: Evaluation) -> Drawing:
    from tenure.report.charts import fold_chart

    rows: Rows = [
        {"as_of": day(fold.as_of), **fold.auc.model_dump()}
        for fold in evaluation.folds
        if fold.auc.value is not None
    ]
    pooled = evaluation.pooled.auc
    if not rows or pooled.value is None:
        return NOTHING
    low, high = (end(rows, key=lambda row: float(row["value"])) for end in (min, max))
    title = f"AUC {number(pooled.value, 2)} over {counted(len(rows), 'prediction time')}"
    text = (
        f"{title}. Lowest {number(low['value'], 2)} at {low['as_of']}, highest "
        f"{number(high['value'], 2)} at {high['as_of']}."
    )
    if len(rows) > 1:
        title += f", from {number(low['value'], 2)} to {number(high['value'], 2)}"
    return fold_chart(rows, pooled.model_dump(), title), text


def _baselines(evaluation: Evaluation) -> Drawing:
    from tenure.report.charts import baseline_chart

    differences = findings.differences(evaluation)
    measures: dict[str, dict[str, Figure]] = {
        "AUC gain": {name: gains.auc for name, gains in differences.items()},
        "Log loss gain": {name: gains.log_loss for name, gains in differences.items()},
    }
    rows: Rows = [
        {
            "baseline": baseline(name),
            "measure": measure,
            **gain.model_dump(),
            "side": "better" if gain.above else "worse" if gain.below else "even",
        }
        for measure, figures in measures.items()
        for name, gain in figures.items()
        if gain.value is not None
    ]
    if not rows:
        return NOTHING
    names = list(dict.fromkeys(row["baseline"] for row in rows))
    lost = {row["baseline"] for row in rows if row["side"] != "better"}
    title = f"Clearly better than {len(names) - len(lost)} of {counted(len(names), 'baseline')}"
    text = "; ".join(
        f"{row['measure']} over {row['baseline']} {number(row['value'], 4)}" for row in rows
    )
    return baseline_chart(rows, title), f"{title}. {text}."


def _drivers(outcome: Outcome, target: TargetRecord) -> Drawing:
    from tenure.report.charts import driver_chart

    drivers = [row for row in target.drivers[:MOST_DRIVERS] if row.share]
    if not drivers:
        return NOTHING
    title = findings.driver_finding(outcome, drivers)
    text = "; ".join(f"{row.label} {percent(row.share, 0)}" for row in drivers)
    return driver_chart([row.model_dump() for row in drivers], title), f"{title}. {text}."


def _labels(outcome: Outcome, labels: LabelSummary) -> Drawing:
    from tenure.report.charts import label_chart

    rows = [row.model_dump() for row in labels.by_cutoff]
    rates = [row.positives / row.labelled for row in labels.by_cutoff if row.labelled]
    if not rates:
        return NOTHING
    when = "after" if outcome.gap_days else "of"
    within = f"of accounts {outcome.happened} {outcome.window} {when} a prediction time"
    title = f"Between {percent(min(rates))} and {percent(max(rates))} {within}"
    if len(rates) == 1:
        title = f"{percent(rates[0])} {within}"
    text = f"{title}; {counted(len(rows), 'prediction time')}, {len(rates)} with a known outcome."
    return label_chart(rows, title, outcome.event), text
