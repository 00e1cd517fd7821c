"""Why an account gets no probability.

notice_given     it has given notice: the outcome is known, and so is its end date
stale_data       every source of events that the models read has fallen silent for all accounts
too_new          it has been paying for fewer days than `score.min_tenure_days`
too_little_data  no more than `score.min_coverage` of the sources have a row of it in the look-back

An account that is silent by itself is scored: silence is what a model of churn looks for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from tenure.core.arrays import Array
from tenure.core.sections import ScoreConfig

NOTICE = "notice_given"
STALE = "stale_data"
NEW = "too_new"
THIN = "too_little_data"
REASONS = (NOTICE, STALE, NEW, THIN)
"""The first that holds is given."""


def abstention(
    known: Mapping[str, Any], sources: Collection[str], stale: Collection[str], config: ScoreConfig
) -> Array:
    """Return why each account gets no probability, None where it gets one.

    Args:
        known: Columns, shape (n,): notice_given, coverage (share of sources in [0, 1], missing
            where the models read none) and tenure_days (missing where it is not asked for).
        sources: Sources of events that the models read.
        stale: Those of them that hold nothing for `score.stale_after_days` before `as_of`.
        config: What is too little.
    """
    notice = np.asarray(known["notice_given"], dtype=bool)
    reason = np.full(len(notice), None, dtype=object)
    reason[np.asarray(known["coverage"]) <= config.min_coverage] = THIN
    reason[np.asarray(known["tenure_days"]) < config.min_tenure_days] = NEW
    if config.abstain_when_stale and sources and set(sources) <= set(stale):
        reason[:] = STALE
    reason[notice] = NOTICE
    return reason
