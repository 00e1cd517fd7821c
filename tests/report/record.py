"""Training records in every state that a report has to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from tenure.core.records.base import Record
from tenure.core.records.data import DataRecord
from tenure.core.records.evaluation import Evaluation, Horizon
from tenure.core.records.training import TargetRecord, TrainingRecord

BASELINES = (
    "base_rate",
    "days_since_last_event",
    "tenure_days",
    "mrr",
    "hand_weighted",
    "logistic_regression",
)
HOSTILE = "<script>alert('x')</script>\"&{{ 7*7 }}"
NO_FIGURE = {"value": None, "lo": None, "hi": None}

R = TypeVar("R", bound=Record)


def changed(record: R, changes: Mapping[str, Any]) -> R:
    """The same record with some values changed.

    Args:
        record: Any.
        changes: Place, e.g. ``evaluation.pooled.auc``, → JSON value.
    """
    values = record.to_json()
    for place, value in changes.items():
        *path, last = place.split(".")
        part: Any = values
        for name in path:
            part = part[int(name) if isinstance(part, list) else name]
        part[int(last) if isinstance(part, list) else last] = value
    return type(record).from_json(values)


def figure(value: float, half: float) -> dict[str, float]:
    """A value with a symmetric interval, as JSON."""
    return {"value": value, "lo": value - half, "hi": value + half}


def metrics(auc: float, n: int = 6_240, rate: float = 0.05) -> dict[str, Any]:
    """Metrics as JSON, all better with a higher AUC."""
    skill = auc - 0.5
    lifts = {share: 1 + skill * (40 - share) / 3.5 for share in (5, 10, 20)}
    values: dict[str, Any] = {
        "n": n,
        "positives": round(n * rate),
        "events": 241,
        "others": 900,
        "observed_rate": rate,
        "mean_probability": rate * 1.04,
        "auc": figure(auc, 0.025),
        "average_precision": figure(rate * (1 + 6 * skill), 0.01),
        "log_loss": figure(0.2 - skill / 10, 0.008),
        "brier": figure(0.0475 - skill / 100, 0.002),
        "brier_skill": figure(skill / 6, 0.01),
        "calibration_error": figure(0.009, 0.003),
        "calibration_slope": figure(0.93, 0.12),
        "calibration_intercept": figure(-0.05, 0.1),
        "best_profit": figure(100 * skill**2, 1.5),
        "profit": figure(80 * skill**2, 2.0),
        "warned": figure(0.1 + skill, 0.03),
        "lead_time_days": figure(41.0, 8.0),
    }
    for share, lift in lifts.items():
        values[f"lift_at_{share}"] = figure(lift, 0.3)
        values[f"detection_at_{share}"] = figure(lift * share / 100, 0.3 * share / 100)
        values[f"mrr_detection_at_{share}"] = figure(1.1 * lift * share / 100, 0.4 * share / 100)
        values[f"chance_at_{share}"] = figure(1.4 * share / 100, 0.01 * share / 100)
    for name in ("detection", "mrr_detection", "chance"):
        values[f"{name}_at_capacity"] = values[f"{name}_at_10"]
    return values


def gains(auc: float) -> dict[str, Any]:
    """Gains over a baseline, as JSON."""
    profit = figure(100 * auc * (auc + 0.2), 1.5)
    return {"auc": figure(auc, 0.015), "log_loss": figure(auc / 10, 0.0015), "best_profit": profit}


def day(month: int) -> str:
    """The first of a month, counted from January 2023."""
    return f"{2023 + month // 12}-{month % 12 + 1:02d}-01"


def evaluation(auc: float = 0.72, over: dict[str, float] | None = None) -> Evaluation:
    """A backtest, measured.

    Args:
        auc: The model's.
        over: Baseline → how much it gains on the model's AUC, where that is not a lot less.
    """
    scores = dict(zip(BASELINES, (0.5, 0.58, 0.61, 0.55, 0.6, 0.7), strict=True))
    scores |= {name: auc + more for name, more in (over or {}).items()}
    folds = []
    for place in range(12):
        shifted = auc + 0.03 * ((place * 7) % 5 - 2) / 2
        measured = metrics(shifted, n=520) | {"auc": figure(shifted, 0.08)}
        folds.append({"as_of": day(place + 12), "fold": place, "base_rate": 0.048, **measured})
    return Evaluation.from_json(
        {
            "pooled": metrics(auc),
            "folds": folds,
            "baselines": {name: metrics(score) for name, score in scores.items()},
            "differences": {
                name: gains(auc - score)
                | {"best_profit": figure(100 * ((auc - 0.5) ** 2 - (score - 0.5) ** 2), 1.5)}
                for name, score in scores.items()
            },
            "reliability": [
                {
                    "n": 624,
                    "mean_probability": 0.004 * (place + 1) ** 1.6,
                    "observed_rate": 0.004 * (place + 1) ** 1.6 * (1 + 0.1 * (-1) ** place),
                    "lowest": 0.0,
                    "highest": 0.2,
                }
                for place in range(10)
            ],
            "lead_time": {
                "outcomes": 241,
                "watched_days": 190.0,
                "warned": figure(auc - 0.4, 0.03),
                "by_chance": 0.08,
                "days": figure(41.0, 8.0),
                "curve": [
                    {"days": days, "n": 241 - days, "share": share}
                    for days, share in ((1, 0.32), (30, 0.2), (60, 0.08), (90, 0.0))
                ],
            },
            "money": money(6_240, 123_456.0)
            | {
                "campaign": {
                    "months": 12.0,
                    "margin": 0.8,
                    "contact_cost": 50.0,
                    "offer": 0.05,
                    "accepted": 0.3,
                },
                "contacted": 0.12,
            },
            "groups": groups(),
            "bounds": {
                "level": 0.8,
                "groups": {"n": 96, "inside": 80},
                "months": {"n": 12, "inside": 10},
            },
            "over_time": over_time(),
            "error_by_chance": figure(0.008, 0.003),
            "contrast": contrast(auc),
            "resamples": 500,
            "level": 0.95,
            "capacity": 40,
        }
    )


def over_time() -> dict[str, Any]:
    """The backtest over its prediction times, as JSON: as good lately as before."""

    def span(first: int, folds: int) -> dict[str, Any]:
        return {
            "since": day(first),
            "until": day(first + folds - 1),
            "folds": folds,
            "n": 520 * folds,
            "positives": 26 * folds,
            "observed_rate": 0.05,
            "mean_probability": 0.049,
            "log_loss_gain": figure(0.021, 0.006),
            "calibration_gap": figure(-0.001, 0.008),
        }

    trends = {"gain_trend": figure(0.001, 0.009), "gap_trend": figure(-0.002, 0.01)}
    return {"overall": span(12, 12), "lately": span(21, 3), **trends}


def money(rows: int, at_stake: float) -> dict[str, Any]:
    """What figures in money are about, as JSON."""
    return {"currency": "EUR", "rows": rows, "at_stake": at_stake}


def groups() -> list[dict[str, Any]]:
    """Groups as JSON: one well calibrated, one off, one of too few events."""
    counts = {"n": 2_000, "positives": 100, "observed_rate": 0.05, "mean_probability": 0.05}
    measured = {"auc": figure(0.7, 0.04), "log_loss_gain": figure(0.02, 0.005)}
    return [
        {"by": "segment", "group": "smb", **counts, "events": 60}
        | measured
        | {"calibration_gap": figure(0.001, 0.01)},
        {"by": "segment", "group": HOSTILE, **counts, "events": 40}
        | measured
        | {"calibration_gap": figure(0.021, 0.01)},
        {"by": "mrr", "group": "under 100", **counts, "events": 12},
    ]


def contrast(auc: float) -> dict[str, Any]:
    """Other ways of testing, as JSON."""
    walk = {
        "auc": figure(auc, 0.025),
        "log_loss": figure(0.2 - (auc - 0.5) / 10, 0.008),
        "mean_probability": figure(0.042, 0.002),
    }
    counts = {"n": 6_240, "positives": 312, "observed_rate": 0.05, "walk": walk}
    return {
        "random_split": {
            **counts,
            "auc": figure(auc + 0.08, 0.02),
            "log_loss": figure(0.16, 0.008),
            "mean_probability": figure(0.05, 0.002),
            "gap": {"auc": figure(0.08, 0.02)},
        },
        "new_accounts": {
            **counts,
            "auc": figure(auc - 0.02, 0.04),
            "gap": {"auc": figure(-0.02, 0.03)},
        },
    }


def horizons() -> dict[str, Horizon]:
    """What became of further horizons: one usable, one without signal, one refused."""
    walked = {"distinct_events": 120, "folds": 8, "pooled": metrics(0.7, n=3_000, rate=0.02)}
    some = {"auc": figure(0.2, 0.04), "log_loss": figure(0.02, 0.005)}
    none = {"auc": figure(0.01, 0.04), "log_loss": figure(0.0001, 0.002)}
    few = "Refused: the past holds 12 distinct churns, and a model needs at least 30."
    parts: dict[str, dict[str, Any]] = {
        "180": walked
        | {
            "pooled": metrics(0.51),
            "gain": none,
            "verdict": verdict("no_usable_signal", "No usable signal: 0.0001."),
        },
        "renewal": {
            "distinct_events": 12,
            "folds": 0,
            "verdict": verdict("refused", few, "Give a longer history."),
        },
        "30": walked | {"gain": some, "verdict": verdict("usable", "Usable: 0.0200.", adds=True)},
    }
    return {name: Horizon.from_json(part) for name, part in parts.items()}


LABELS: dict[str, Any] = {
    "snapshots": 15_230,
    "labelled": 13_610,
    "positives": 653,
    "distinct_events": 241,
    "base_rate": 0.048,
    "dropped": {"censored": 1_480, "notice_given": 140},
    "by_cutoff": [
        {
            "as_of": day(place),
            "snapshots": 400 + 9 * place,
            "labelled": 395 + 9 * place if place < 24 else 0,
            "positives": 14 + (place * 5) % 11 if place < 24 else 0,
        }
        for place in range(28)
    ],
}

DRIVERS: list[dict[str, Any]] = [
    {
        "group": group,
        "label": label,
        "mean_abs": 0.3 / (place + 1),
        "share": round(0.24 / (place + 1), 4),
        "lever": place not in {1, 4},
        "association": association,
        "features": f"{group}_28d, {group}_84d",
    }
    for place, (group, label, association) in enumerate(
        [
            ("pace", "Usage in the last 28 days against its 84-day pace", -0.81),
            ("renewal", "Days to the next renewal", -0.66),
            ("seats", "Share of the paid seats active in the last 28 days", -0.74),
            ("backlog", "Tickets open now", 0.58),
            ("tenure", "Days since the first paid subscription", 0.1),
            ("nps", "Last NPS answer", -0.49),
            ("response", "Mean hours to the first response in the last 84 days", 0.41),
            ("late", "Invoices paid late in the last 365 days", 0.37),
            ("silence", "Days since the last event", 0.62),
            ("breadth", "Distinct events used in the last 28 days", None),
            ("surplus", "An eleventh that no report shows", 0.3),
        ]
    )
]

FOLDS: list[dict[str, Any]] = [
    {
        "fold": place,
        "as_of": day(place + 12),
        "fitted_at": day(place + 12),
        "train_rows": 4_000 + 420 * place,
        "train_positives": 190 + 21 * place,
        "train_cutoffs": 8 + place,
        "train_known_until": day(place + 11),
        "base_rate": 0.048,
        "calibrated_on": 1_000 + 400 * place,
        "calibrated_by": "sigmoid",
        "level": 0.0,
        "test_rows": 520,
        "test_positives": 26,
    }
    for place in range(12)
]

MODEL: dict[str, Any] = {
    "name": "acme-churn",
    "version": "0123456789abcdef",
    "path": "models/churn/0123456789abcdef",
    "rows": 13_610,
    "positives": 653,
    "trained_until": "2025-01-01",
    "parameters": {"num_leaves": 15, "learning_rate": 0.05},
    "calibrator": {"kind": "sigmoid", "slope": 1.0, "intercept": 0.0},
    "features": 88,
}


def verdict(status: str, *sentences: str, adds: bool | None = None) -> dict[str, Any]:
    """A verdict as JSON."""
    best = "tenure_days" if status == "usable" else None
    return {"status": status, "sentences": sentences, "best_column": best, "adds_over": adds}


def target(**parts: Any) -> TargetRecord:
    """A churn target with a good model, with some parts replaced by JSON values."""
    values: dict[str, Any] = {
        "event": "churn",
        "events": "churns",
        "bad": True,
        "horizon_days": 90,
        "gap_days": 0,
        "status": "champion",
        "verdict": verdict(
            "usable",
            "Usable: log loss 0.0212 [0.0162, 0.0262] better than the base rate.",
            "Adds to tenure_days, the best single column: AUC 0.1100 [0.0950, 0.1250] higher.",
            adds=True,
        ),
        "labels": LABELS,
        "evaluation": evaluation(),
        "folds": FOLDS,
        "drivers": DRIVERS,
        "model": MODEL,
    }
    return TargetRecord.from_json(values | parts)


def usable() -> TargetRecord:
    """A churn target with a good model."""
    return target()


def expansion(**parts: Any) -> TargetRecord:
    """An expansion target that one column serves as well, and that a regression beats."""
    plain = "Usable: log loss 0.0150 [0.0135, 0.0165] better than the base rate."
    nothing = "Adds nothing over mrr: AUC −0.0010 [-0.0160, 0.0140] higher."
    values = {
        "event": "expansion",
        "events": "expansions",
        "bad": False,
        "status": "not_promoted",
        "evaluation": evaluation(0.65, {"mrr": 0.001, "logistic_regression": 0.03}),
        "verdict": verdict("usable", plain, nothing, adds=False) | {"best_column": "mrr"},
    }
    return target(**(values | parts))


def renewal() -> TargetRecord:
    """A renewal target: most accounts do it, and those who do not stand at the low end."""
    top = metrics(0.72, n=2_000, rate=0.1)
    ends = ("lift_", "detection_", "mrr_detection_", "chance_")
    names = [name for name in top if name.startswith(ends)]
    low = {name: top[name] for name in ("n", "positives", "observed_rate", *names)}
    measured = {
        "lowest": low | {"events": 64, "money": money(2_000, 9_876.0)},
        "pooled": metrics(0.72, n=2_000, rate=0.9),
        "money": money(2_000, 123_456.0),
    }
    return target(
        event="renewal",
        events="renewals",
        bad=False,
        labels=LABELS | {"dropped": {"not_due": 4_000, "censored": 1_480}},
        evaluation=evaluation(0.72).to_json() | measured,
    )


def beaten() -> TargetRecord:
    """A usable model that a logistic regression beats."""
    return target(evaluation=evaluation(0.68, {"logistic_regression": 0.03}))


def no_signal() -> TargetRecord:
    """A model that is no better than the base rate."""
    sentence = "No usable signal: log loss 0.0001 [-0.0020, 0.0022] better than the base rate."
    none = {"auc": figure(0.01, 0.02), "log_loss": figure(0.0001, 0.0021)}
    return target(
        status="not_promoted",
        verdict=verdict("no_usable_signal", sentence),
        evaluation=changed(evaluation(0.51), {"differences.base_rate": none}),
    )


def usable_before() -> TargetRecord:
    """A model that was good for long, and whose probabilities are far too high lately."""
    sentence = (
        "Usable before, not lately: at the 3 prediction times since 2025-10-01 25.3% were "
        "predicted and 17.8% happened; over all of them the gain in log loss over the base rate is "
        "0.0212 [0.0162, 0.0262]."
    )
    span = {"since": "2025-10-01", "until": "2025-12-01", "folds": 3, "n": 2_000}
    lately = span | {
        "positives": 356,
        "observed_rate": 0.178,
        "mean_probability": 0.253,
        "log_loss_gain": figure(0.0051, 0.0102),
        "calibration_gap": figure(0.075, 0.02),
    }
    times = {
        "overall": lately | {"since": "2025-01-01", "folds": 12},
        "lately": lately,
        "gain_trend": figure(-0.0412, 0.0102),
        "gap_trend": figure(0.0712, 0.0102),
    }
    return target(
        status="not_promoted",
        verdict=verdict("usable_before", sentence),
        evaluation=changed(evaluation(0.7), {"over_time": times}),
    )


def no_claim() -> TargetRecord:
    """A model that could not be tested."""
    return target(
        status="not_promoted",
        verdict=verdict("no_claim", "Trained without a claim: 2 test cut-offs."),
        evaluation=Evaluation(),
        folds=[],
    )


def refused(**parts: Any) -> TargetRecord:
    """No model at all."""
    few = (
        "Refused: the past holds 3 distinct churns, and a model needs at least 30 "
        "(model.min_events)."
    )
    advice = "Give a longer history, a longer labels.horizon_days, or more accounts."
    values = {
        "status": "refused",
        "verdict": verdict("refused", few, advice),
        "labels": LABELS | {"positives": 5, "distinct_events": 3, "base_rate": 5 / 13_610},
        "evaluation": Evaluation(),
        "folds": [],
        "drivers": [],
        "model": None,
    }
    return target(**(values | parts))


STATES = {
    "usable": usable,
    "expansion": expansion,
    "renewal": renewal,
    "beaten": beaten,
    "no_signal": no_signal,
    "usable_before": usable_before,
    "no_claim": no_claim,
    "refused": refused,
}


def remark(code: str, text: str, share: float, *, red: bool) -> dict[str, Any]:
    """A warning."""
    return {"code": code, "text": text, "rows": 100, "share": share, "red": red}


def table(name: str, rows: int, **more: Any) -> dict[str, Any]:
    """A table without a fault."""
    return {
        "name": name,
        "origin": f"data/{name}.parquet",
        "rows_in": rows,
        "rows_used": rows,
        "rows_rejected": 0,
        "rejected": {},
        "set_aside": 0,
        "emptied": {},
        "columns": ["account_id"],
        "first": "2022-01-03",
        "last": "2025-06-30T17:12:00Z",
        "freshness_days": 0.28,
        "coverage": 0.97,
        "median_rows": 3.0,
        "unused": {},
        "assumptions": {},
        "remarks": [],
    } | more


def data(*, dirty: bool = False) -> DataRecord:
    """A data report, clean or as dirty as RavenStack's."""
    outside = "77 % of the usage rows lie outside their subscription"
    early = "54 % of the tickets precede the sign-up of their account"
    tables = {
        "accounts": table("accounts", 1_500, coverage=1.0),
        "subscriptions": table(
            "subscriptions",
            5_210,
            rows_used=5_190,
            rows_rejected=20,
            rejected={"duplicate_key": 12, "negative_mrr": 8},
            emptied={"list_mrr": {"negative_list_mrr": 3}},
            remarks=[
                remark("rejected", "0.4 % of rows were rejected: a list", 0.004, red=False),
                remark("zero_length", "0.3 % of rows end when they start", 0.003, red=False),
            ],
        ),
        "usage_events": table(
            "usage_events",
            412_345,
            remarks=[remark("outside_subscription", outside, 0.77, red=True)] if dirty else [],
        ),
        "tickets": table(
            "tickets",
            9_120,
            set_aside=14,
            unused={"csat_score": "csat_at"},
            assumptions={"resolved_at": "opened_at + 1 day + resolution_hours"},
            remarks=[
                remark(
                    "no_clock", "csat_score is not used: map its clock csat_at too", 0, red=False
                )
            ]
            + ([remark("before_created", early, 0.54, red=True)] if dirty else []),
        ),
    }
    return DataRecord.from_json(
        {
            "observed_until": "2025-07-01",
            "observed_until_declared": False,
            "accounts": 1_500,
            "usable": True,
            "red": [f"usage_events: {outside}", f"tickets: {early}"] if dirty else [],
            "missing_tables": ["invoices", "touchpoints"],
            "attributes": [
                {"name": "segment", "usable": True, "verdict": "today's value; taken as constant"},
                {"name": "csm_tier", "usable": False, "verdict": "today's value; not listed"},
            ],
            "tables": tables,
        }
    )


def record(
    targets: dict[str, TargetRecord] | None = None, *, dirty: bool = False, **settings: Any
) -> TrainingRecord:
    """A whole training record."""
    return TrainingRecord.from_json(
        {
            "name": "acme",
            "created_at": "2026-01-02T03:04:05Z",
            "tenure_version": "0.1.0",
            "versions": {"lightgbm": "4.7.0", "duckdb": "2.0.0"},
            "took_seconds": 61.2,
            "fingerprint": "fedcba9876543210",
            "config": {"name": "acme", "data": {"path": "data"}, **settings},
            "data": data(dirty=dirty),
            "calendar": {"first": day(0), "last": day(27), "count": 28, "cadence": "monthly"},
            "features": {
                "count": 117,
                "families": {"usage": 41, "support": 24, "subscription": 31, "account": 21},
                "absent": [
                    {"name": "invoices_late_365d", "reason": "there is no table `invoices`"},
                    {"name": "touchpoints_28d", "reason": "there is no table `touchpoints`"},
                ],
            },
            "targets": targets or {"churn": usable(), "expansion": expansion()},
        }
    )
