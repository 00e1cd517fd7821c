"""The columns of the flat rows that scores are written as, one row per account and horizon."""

from __future__ import annotations

MAIN, GROWTH = "churn", "expansion"
"""Targets with columns of their own; those of drivers and base rate are of the main one."""
TOP = 5
"""Drivers of a row."""
FIELDS = (
    *("code", "label", "value", "value_num", "peer_value", "peer_value_num"),
    *("contribution", "direction", "sentence", "lever", "since"),
)
"""What is known of a driver."""
BANDS = ("low", "medium", "high")
"""Bands of risk, rising."""
ATTRIBUTES = ("name", "owner", "segment", "plan")
_DRIVERS = [f"driver_{place}_{field}" for place in range(1, TOP + 1) for field in FIELDS]
COLUMNS: tuple[str, ...] = (
    *("account_id", *ATTRIBUTES, "as_of", "scored_at", "horizon_days"),
    *("mrr", "currency", "renews_at", "notice_by"),
    *("health_score", "churn_probability", "churn_probability_lo", "churn_probability_hi"),
    *("churn_rank", "churn_percentile", "risk_band", "mrr_at_risk", "probability_change"),
    *("base_rate", "model_name", "model_version", *_DRIVERS),
    *("expansion_probability", "expansion_probability_lo", "expansion_probability_hi"),
    *("expected_expansion_mrr", "expansion_base_rate", "expansion_model_version"),
    *(f"expansion_{name}" for name in _DRIVERS),
    *("data_coverage", "stale_sources", "unseen_values", "abstain_reason"),
)
SLIM: tuple[str, ...] = (
    *("account_id", *ATTRIBUTES, "as_of", "horizon_days", "mrr", "currency", "renews_at"),
    *("churn_probability", "probability_change", "risk_band", "mrr_at_risk"),
    *(f"driver_{place}_sentence" for place in (1, 2, 3)),
    *("expansion_probability", "expected_expansion_mrr", "abstain_reason"),
)
"""The twenty columns that people read."""


def prefix_of(target: str) -> str:
    """Return what the columns of a target begin with that the main one has under their plain names.

    >>> prefix_of("churn"), prefix_of("expansion")
    ('', 'expansion_')
    """
    return "" if target == MAIN else f"{target}_"
