"""What may be said, word for word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tenure.core.records.base import Figure
from tenure.core.sections import EvaluationConfig
from tenure.labels.splits import Shortage
from tenure.model.evaluation.evaluate import evaluate
from tenure.model.evaluation.verdict import judge, refusal
from tenure.model.settings import EvaluationSettings

WORDS: dict[str, Any] = {"min_events": 30, "event": "churn", "events": "churns"}


def rows(labels, ids=None):
    labels = np.asarray(labels, dtype=float)
    names = ids if ids is not None else [f"e{i}" for i in range(len(labels))]
    return pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in range(len(labels))],
            "label": labels,
            "outcome_id": [
                name if label == 1 else None for name, label in zip(names, labels, strict=True)
            ],
        }
    )


def refused(frame, **words):
    verdict = refusal(frame, **(WORDS | words))
    assert verdict is not None
    assert (verdict.status, verdict.promotable) == ("refused", False)
    return verdict.sentences


def test_no_positive_labels():
    first, advice = refused(rows([0] * 1_200), event="expansion", events="expansions")
    assert first == (
        "Refused: no positive labels: none of 1,200 snapshots was followed by an expansion."
    )
    assert advice == (
        "Check that the data records expansions, or leave this target out of `targets`."
    )


def test_too_few_distinct_events_count_events_not_rows():
    first, advice = refused(rows([1] * 80 + [0] * 500, ids=["same", "other"] * 40 + [""] * 500))
    assert first == (
        "Refused: the past holds 2 distinct churns, and a model needs at least 30 "
        "(model.min_events)."
    )
    assert advice.startswith("Give a longer history")
    assert refused(rows([1] + [0] * 50))[0].startswith("Refused: the past holds 1 distinct churn,")


def test_nothing_known_and_nothing_negative():
    assert refused(rows([np.nan] * 5))[0] == (
        "Refused: no snapshot is old enough for its outcome (churn) to be known."
    )
    assert refused(rows([1] * 40))[0] == (
        "Refused: no negative labels: every one of 40 snapshots was followed by a churn."
    )


def test_enough_is_not_refused():
    assert refusal(rows([1] * 30 + [0] * 500 + [np.nan] * 9), **WORDS) is None


def test_the_rarer_side_counts_by_account():
    renewal = {"event": "renewal", "events": "renewals"}
    many = rows([1] * 400 + [0] * 29)
    first, advice = refused(many, **renewal)
    assert first == (
        "Refused: the past holds 29 distinct accounts without a renewal, and a model needs at "
        "least 30 of these too (model.min_events)."
    )
    assert "more accounts" in advice
    lapse_seen_thrice = rows([1] * 400 + [0] * 87).assign(
        account_id=[f"a{i}" for i in range(400)] + [f"b{i // 3}" for i in range(87)]
    )
    assert refused(lapse_seen_thrice, **renewal)[0] == first
    assert refusal(rows([1] * 400 + [0] * 30), **(WORDS | renewal)) is None


def measured(probability, single, seed=0, n=3_000):
    """Return metrics of a model and a single column against a known risk."""
    rng = np.random.default_rng(seed)
    risk = rng.beta(1, 9, n)
    frame = pd.DataFrame(
        {
            "account_id": rng.integers(0, 500, n).astype(str),
            "as_of": pd.Timestamp("2024-01-01"),
            "fold": 0,
            "label": (rng.random(n) < risk).astype(float),
            "probability": probability(risk, rng),
            "base_rate": 0.1,
        }
    )
    others = pd.DataFrame(
        {
            "base_rate": frame["base_rate"],
            "mrr": single(risk, rng),
            "tenure_days": 0.1,
            "logistic_regression": risk,
        }
    )
    return evaluate(frame, others, EvaluationSettings(EvaluationConfig(bootstrap=100)))


def with_gain(metrics, name, key, figure):
    """Return metrics with another gain over one baseline."""
    gains = metrics.differences[name].model_copy(update={key: figure})
    return metrics.model_copy(update={"differences": {**metrics.differences, name: gains}})


def chance(risk, rng):
    return rng.uniform(0.05, 0.15, len(risk))


def good(risk, rng):
    return np.clip(risk * rng.uniform(0.8, 1.2, len(risk)), 0, 1)


def test_usable_and_adding():
    verdict = judge(measured(good, chance), None)
    assert (verdict.status, verdict.adds_over, verdict.best_column) == ("usable", True, "mrr")
    assert verdict.promotable
    assert verdict.sentences[0].startswith("Usable: the gain in log loss over the base rate is 0.0")
    assert verdict.sentences[1].startswith("Adds to mrr, the best single column: the gain in AUC")


def test_usable_but_adding_nothing_is_not_promotable():
    verdict = judge(measured(good, lambda risk, _: risk), None)
    assert (verdict.status, verdict.adds_over) == ("usable", False)
    assert not verdict.promotable
    assert verdict.sentences[1].startswith("Adds nothing over mrr: the gain in AUC is")
    assert verdict.sentences[1].endswith("sorting accounts by mrr serves as well.")


def test_no_usable_signal():
    verdict = judge(measured(chance, chance), None)
    assert verdict.status == "no_usable_signal"
    assert verdict.sentences[0].startswith("No usable signal: the gain in log loss over the base")
    assert verdict.sentences[0].endswith("; it loses to logistic_regression.")
    assert verdict.sentences[-1].startswith("Loses to logistic_regression: the model's gain in AUC")
    assert verdict.loses_to == ("logistic_regression",)
    assert not verdict.promotable


def test_a_usable_model_that_loses_says_so_in_its_first_sentence():
    metrics = measured(good, chance)
    for name, key in (("mrr", "auc"), ("logistic_regression", "log_loss")):
        metrics = with_gain(metrics, name, key, Figure(value=-0.02, lo=-0.03, hi=-0.01))
    verdict = judge(metrics, None)
    assert verdict.status == "usable"
    assert verdict.sentences[0].endswith("; it loses to mrr, logistic_regression.")
    assert verdict.sentences[-2:] == (
        "Loses to mrr: the model's gain in AUC is -0.020 [-0.030, -0.010].",
        "Loses to logistic_regression: the model's gain in log loss is -0.0200 [-0.0300, -0.0100].",
    )
    assert verdict.loses_to == ("mrr", "logistic_regression")


def test_a_loss_within_chance_is_none():
    metrics = measured(good, chance)
    within = Figure(value=-0.02, lo=-0.05, hi=0.001)
    assert judge(with_gain(metrics, "mrr", "log_loss", within), None).loses_to == ()


def test_without_the_columns_there_is_no_comparison():
    verdict = judge(measured(good, chance), None, columns=["nps"])
    assert (verdict.status, verdict.adds_over, verdict.promotable) == ("usable", None, True)


def test_too_few_folds_make_no_claim_and_name_the_months():
    shortage = Shortage("1 of the 3 test prediction times that a claim needs", 5)
    verdict = judge(measured(good, chance), shortage)
    assert verdict.status == "no_claim"
    assert verdict.sentences[0] == (
        "Trained without a claim: 1 of the 3 test prediction times that a claim needs; about 5 "
        "more months of history are needed."
    )
    assert not verdict.promotable


def test_folds_without_a_positive_make_no_claim():
    metrics = measured(good, chance)
    none = metrics.pooled.model_copy(update={"positives": 0})
    assert judge(metrics.model_copy(update={"pooled": none}), None).status == "no_claim"


def test_what_only_follows_the_months_is_not_usable():
    """The base rate of its month ranks rows by month; a model that ranks nobody loses to it."""
    better = Figure(value=0.0007, lo=0.0002, hi=0.0011)
    followed = with_gain(measured(good, chance), "base_rate", "log_loss", better)
    beaten = with_gain(followed, "base_rate", "auc", Figure(value=-0.02, lo=-0.03, hi=-0.01))
    verdict = judge(beaten, None)
    assert (verdict.status, verdict.loses_to) == ("no_usable_signal", ("base_rate",))
    assert verdict.sentences[0] == (
        "No usable signal: the gain in log loss over the base rate is 0.0007 [0.0002, 0.0011], but "
        "it ranks no better; it loses to base_rate."
    )
    assert judge(followed, None).status == "usable"


def test_no_verdict_is_usable_and_loses_to_the_base_rate():
    measures = measured(good, chance)
    for order in (-0.1, 0.0, 0.1):
        for loss in (-0.1, 0.0, 0.1):
            case = measures
            for key, value in (("auc", order), ("log_loss", loss)):
                figure = Figure(value=value, lo=value - 0.05, hi=value + 0.05)
                case = with_gain(case, "base_rate", key, figure)
            verdict = judge(case, None)
            assert not (verdict.over_base_rate and "base_rate" in verdict.loses_to)
