"""Profit of a retention campaign that contacts accounts from the top of a list.

The measure is EMPB (Janssens et al. 2022, Annals of Operations Research): of the accounts that are
contacted and were about to leave, a share accepts an offer and stays; the others leave; who would
have stayed anyway takes the offer as well.  `empulse` gives the figure, the resamples here give its
interval.  Which share accepts is an assumption: no data of the past says what a contact would do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tenure.core.arrays import Flags, Floats, Places
from tenure.core.sections import EvaluationConfig
from tenure.model.evaluation.bootstrap import Resamples

CERTAINTY = 20.0  # the Beta distribution of the acceptance has this sum of its parameters


def worth(mrr: Floats, how: EvaluationConfig) -> Floats:
    """Return what each account is worth, in the currency of its MRR."""
    return how.profit_months * how.profit_margin * mrr


def gains(labels: Floats, mrr: Floats, how: EvaluationConfig) -> Floats:
    """Return what contacting each account earns, expected over who accepts.

    Labels are 1 where the account leaves and 0 where it stays, or the probability of it.
    """
    value = worth(mrr, how)
    leaves = how.profit_accepted * (1 - how.profit_offer) * value - how.profit_contact_cost
    stays = -(how.profit_offer * value + how.profit_contact_cost)
    return labels * leaves + (1 - labels) * stays


def best_profit(labels: Floats, scores: Floats, mrr: Floats, how: EvaluationConfig) -> float:
    """Return the profit per scored account of contacting the best number from the top of a list.

    Higher scores are contacted sooner.
    """
    from empulse.metrics import empb_score

    return float(empb_score(labels, scores, **_parameters(mrr, how)))


def best_share(labels: Floats, scores: Floats, mrr: Floats, how: EvaluationConfig) -> float:
    """Return the share of the accounts that is contacted for `best_profit`."""
    from empulse.metrics import empb_score

    return float(empb_score.optimal_rate(labels, scores, **_parameters(mrr, how)))


def _parameters(mrr: Floats, how: EvaluationConfig) -> dict[str, Any]:
    return {
        "clv": worth(mrr, how),
        "alpha": CERTAINTY * how.profit_accepted,
        "beta": CERTAINTY * (1 - how.profit_accepted),
        "incentive_fraction": how.profit_offer,
        "contact_cost": how.profit_contact_cost,
    }


def profit_draws(resamples: Resamples, scores: Floats, gains: Floats) -> Floats:
    """Return the best profit per scored account, then per resample that of a length chosen outside.

    The first is the best afterwards.  In a resample the length of the list is the one that is best
    among the accounts that it left out: the best within would promise what nobody could know.

    Higher scores are contacted sooner, and those that tie together.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
    out = np.empty(len(resamples.counts))
    for part, weights in resamples.weights(order):
        earned = _earned(weights, gains[order], last)
        chosen = _earned((weights == 0).astype(np.float64), gains[order], last).argmax(axis=1)
        out[part] = earned[np.arange(len(earned)), chosen] / weights.sum(axis=1)
        if part.start == 0:
            out[0] = earned[0].max() / len(scores)
    return out


def _earned(weights: Floats, gains: Floats, last: Places) -> Floats:
    """Return what contacting nobody, then each longer list, earns, by line of weights."""
    sums = np.cumsum(weights * gains, axis=1)[:, last]
    return np.hstack([np.zeros((len(sums), 1)), sums])


def chosen_draws(resamples: Resamples, chosen: Flags, gains: Floats) -> Floats:
    """Return the profit per scored account of contacting chosen rows; the first is the metric."""
    columns = np.column_stack([np.ones(len(gains)), np.where(chosen, gains, 0.0)])
    rows, earned = resamples.sums(columns).T
    return np.asarray(earned / rows)
