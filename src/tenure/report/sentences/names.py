"""Names for people: baselines, reasons, verdicts, and the metrics of the performance table."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.core.records.base import Figure
from tenure.core.records.evaluation import Evaluation, Metrics
from tenure.report.sentences.formatting import bracket, number, percent, plain, sentence

BASELINES = {
    "base_rate": "Base rate",
    "days_since_last_event": "Days since last event",
    "tenure_days": "Time as a customer",
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
    "merged": "the account merged with another one before the outcome was known",
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
TONES = {
    "usable": "good",
    "usable_before": "bad",
    "no_usable_signal": "bad",
    "no_claim": "warn",
    "refused": "bad",
}
VERDICTS = {"usable_before": "usable before, not lately"}
MEANINGS = {
    "auc": "how often an account with the outcome was ranked above one without; 0.5 is chance",
    "average_precision": "how clean the top of the list is; chance gives the observed rate",
    "log_loss": "the penalty for probabilities that were far from what happened",
    "brier": "the mean squared error of the probabilities",
    "brier_skill": "the share of the base rate’s squared error that the model removes",
    "calibration_error": "the mean gap between predicted and observed rates over ten bins",
    "lift_at_10": "the outcome rate among the 10% scored highest, as a multiple of the average",
    "detection_at_10": (
        "the share of distinct outcomes that a list of the 10% scored highest held before them, at "
        "one prediction time or more"
    ),
    "mrr_detection_at_10": "the share of the MRR behind the outcomes that these lists held",
    "detection_at_capacity": (
        "the share of distinct outcomes that a list as long as a team can look after held before "
        "them"
    ),
    "best_profit": (
        "what contacting the best number of accounts would have earned, per account asked"
    ),
}


@dataclass(frozen=True)
class Metric:
    """A figure of the performance table."""

    key: str
    """Its name in the evaluation."""
    name: str
    best: str
    """Which way is better, or the best value."""
    share: bool = False
    """Whether it is shown as a percentage."""
    digits: int = 3
    ranged: bool = True
    """Whether its interval is shown."""

    @property
    def meaning(self) -> str:
        """Return what it says, in one sentence."""
        return MEANINGS[self.key]

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
    Metric("auc", "AUC", "higher"),
    Metric("average_precision", "Average precision", "higher"),
    Metric("log_loss", "Log loss", "lower", digits=4),
    Metric("brier", "Brier score", "lower", digits=4),
    Metric("brier_skill", "Brier skill", "above 0", share=True),
    # Resampling adds noise, which only ever widens a gap: its interval would lie above it.
    Metric("calibration_error", "Calibration error", "lower", share=True, ranged=False),
    Metric("lift_at_10", "Lift at 10%", "higher", digits=2),
    Metric("detection_at_10", "Detection at 10%", "higher", share=True),
    Metric("mrr_detection_at_10", "MRR detected at 10%", "higher", share=True),
    Metric("detection_at_capacity", "Detection at capacity", "higher", share=True),
    Metric("best_profit", "Best profit", "higher", digits=2),
)
METRIC = {metric.key: metric for metric in METRICS}
OF_THE_TOP = ("lift_at_", "detection_at_", "mrr_detection_at_")


def shown_metrics(evaluation: Evaluation) -> tuple[Metric, ...]:
    """Return the metrics to show of a target; those of the top only where a team looks there."""
    if evaluation.lowest is None:
        return METRICS
    return tuple(metric for metric in METRICS if not metric.key.startswith(OF_THE_TOP))


def baseline(name: str) -> str:
    """Return a baseline's name for people."""
    return BASELINES.get(name) or sentence(plain(name))
