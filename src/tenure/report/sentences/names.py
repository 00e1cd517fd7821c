"""Names for people: baselines, reasons, verdicts, and the metrics of the performance table."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.core.records.base import Figure
from tenure.core.records.evaluation import Metrics
from tenure.report.sentences.formatting import bracket, number, percent, plain, sentence

BASELINES = {
    "base_rate": "Base rate",
    "days_since_last_event": "Days since last event",
    "tenure_days": "Tenure",
    "mrr": "MRR",
    "hand_weighted": "Hand-weighted score",
    "logistic_regression": "Logistic regression",
}
DROPS = {
    "already_decided": "the outcome was decided before the prediction time, but became known later",
    "censored": "too recent: the outcome was not yet known when observation stopped",
    "churn_type_unknown": "the account left, and nothing says whether by its own choice",
    "currency_changed": "the currency changed and no rates were given",
    "ended_in_gap": "ended in the gap between prediction time and label window",
    "no_renewal_due": "no renewal date within the longest horizon",
    "not_due": "no renewal date in the days looked at: there was nothing to renew",
    "notice_given": "notice had been given: nothing left to predict",
}
STATUSES = {
    "champion": "This model is the champion: scores use it.",
    "challenger": "This model is a challenger: another model stays champion until one is promoted.",
    "not_promoted": "This model was not promoted: no score uses it.",
    "refused": "No model was fitted.",
}
VERDICTS = {
    "usable": "usable",
    "no_usable_signal": "no usable signal",
    "no_claim": "no claim",
    "refused": "refused",
}
TONES = {
    "usable": "good",
    "no_usable_signal": "bad",
    "no_claim": "warn",
    "refused": "bad",
}


@dataclass(frozen=True)
class Metric:
    """A figure of the performance table.

    Attributes:
        key: Its name in the evaluation.
        name: Its name for people.
        meaning: What it says, in one sentence.
        best: Which way is better, or the best value.
        share: Whether it is shown as a percentage.
        digits: Digits after the point.
        ranged: Whether its interval is shown.
    """

    key: str
    name: str
    meaning: str
    best: str
    share: bool = False
    digits: int = 3
    ranged: bool = True

    def of(self, metrics: Metrics) -> Figure:
        """Return its figure among others."""
        return metrics.figure(self.key)

    def show(self, value: float | None) -> str:
        """Return one value for people."""
        return percent(value, 1) if self.share else number(value, self.digits)

    def interval(self, figure: Figure) -> str:
        """Return the interval of a figure in brackets; empty where none is shown."""
        return bracket(figure, self.show) if self.ranged else ""


METRICS = (
    Metric(
        "auc",
        "AUC",
        "how often an account with the outcome was ranked above one without; 0.5 is chance",
        "higher",
    ),
    Metric(
        "average_precision",
        "Average precision",
        "how clean the top of the list is; chance gives the observed rate",
        "higher",
    ),
    Metric(
        "log_loss",
        "Log loss",
        "the penalty for probabilities that were far from what happened",
        "lower",
        digits=4,
    ),
    Metric(
        "brier", "Brier score", "the mean squared error of the probabilities", "lower", digits=4
    ),
    Metric(
        "brier_skill",
        "Brier skill",
        "the share of the base rate’s squared error that the model removes",
        "above 0",
        share=True,
    ),
    Metric(
        "calibration_error",
        "Calibration error",
        "the mean gap between predicted and observed rates over ten bins",
        "lower",
        share=True,
        ranged=False,  # resampling adds noise, which only ever widens a gap: it would lie above
    ),
    Metric(
        "lift_at_10",
        "Lift at 10%",
        "the outcome rate among the 10% scored highest, as a multiple of the average",
        "higher",
        digits=2,
    ),
    Metric(
        "capture_at_10",
        "Capture at 10%",
        "the share of all outcomes that the 10% scored highest hold",
        "higher",
        share=True,
    ),
    Metric(
        "mrr_capture_at_10",
        "MRR captured at 10%",
        "the share of the MRR behind the outcomes that the 10% scored highest hold",
        "higher",
        share=True,
    ),
    Metric(
        "capture_at_capacity",
        "Capture at capacity",
        "the share of all outcomes among the accounts a team can look after",
        "higher",
        share=True,
    ),
    Metric(
        "best_profit",
        "Best profit",
        "what contacting the best number of accounts would have earned, per account asked",
        "higher",
        digits=2,
    ),
)
METRIC = {metric.key: metric for metric in METRICS}


def baseline(name: str) -> str:
    """Return a baseline's name for people."""
    return BASELINES.get(name) or sentence(plain(name))
